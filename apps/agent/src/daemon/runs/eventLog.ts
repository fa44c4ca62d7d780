/** The event log of one run, read on as it grows: what its events add up to, and the newest of them. */
import { closeSync, fstatSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { UserError } from '@anneal/core/errors';
import type { RunEvent } from '@anneal/core/protocol/events';
import { linesOfFile, parseLine, readEvents } from '@anneal/core/trainer/eventReader';
import { openRunFile } from '@anneal/core/trainer/runFiles';
import type { RunHistory } from './history.ts';
import type { KeptHistories, ReadHistory } from './keptHistories.ts';

/** How long a long log is read before others have their turn. */
const sliceMilliseconds = 20;
/** Events in memory: more than one message holds. */
const mostNewest = 2048;
/** Of one message: enough for a client to catch up fast, and little enough for one that is slow. */
const mostNews = { events: 2000, characters: 256 << 10 };
/** Of an event that holds no text of a model. */
const usualCharacters = 200;

export class EventLog {
  readonly #run: string;
  readonly #path: string;
  readonly #kept: KeptHistories;
  #read: ReadHistory;
  /** What was kept of it has been looked for. */
  #isOpened = false;
  /** The newest events, which every client that keeps up is told. */
  #newest: RunEvent[] = [];

  constructor(run: string, kept: KeptHistories) {
    this.#run = run;
    this.#path = join(run, 'events.jsonl');
    this.#kept = kept;
    this.#read = kept.empty(run);
  }

  /** Something of it has been read, and `history` holds it. */
  get isOpened(): boolean {
    return this.#isOpened;
  }

  get history(): RunHistory {
    return this.#read.history;
  }

  /** Reads what is new. @param onEvent is told each event once the history has it */
  async readOn(onEvent: (event: RunEvent) => void): Promise<void> {
    const file = openRunFile(this.#path);
    try {
      // A launch cuts off a line that a crash left unfinished, which is never counted in here. Less than that is another file.
      if (!this.#isOpened || fstatSync(file).size < this.#read.offset) this.#open(file);
      let sliceEnd = performance.now() + sliceMilliseconds;
      for (const { text, end } of linesOfFile(file, { from: this.#read.offset })) {
        const event = text === undefined ? undefined : parseLine(text);
        const { seq } = this.history.status;
        if (event?.seq !== seq + 1) {
          if (end === fstatSync(file).size) return; // the next launch cuts it off
          throw new UserError({
            what: `the event log is damaged: line ${seq + 1} is not event number ${seq + 1}`,
            where: `${this.#path}:${seq + 1}`,
            next: 'restore the file from a copy, or start a new run from the last checkpoint with lora_model_dir',
            code: 'event_log_damaged',
          });
        }
        this.#add(event);
        onEvent(event);
        this.#read.offset = end;
        if (performance.now() < sliceEnd) continue;
        this.#kept.keep(this.#run, this.#read, file);
        await nextTurn();
        sliceEnd = performance.now() + sliceMilliseconds;
      }
      this.#kept.keep(this.#run, this.#read, file);
    } finally {
      closeSync(file);
    }
  }

  /** What one message tells of the events after number `seq`, up to number `last`. */
  after(seq: number, last: number): RunEvent[] {
    const events: RunEvent[] = [];
    if (seq >= last) return events;
    let characters = 0;
    const oldest = this.#newest[0]?.seq ?? Number.POSITIVE_INFINITY;
    const source = seq + 1 >= oldest ? this.#newest.slice(seq + 1 - oldest) : readEvents(this.#path, { afterSeq: seq });
    for (const event of source) {
      if (event.seq > last) break;
      events.push(event);
      characters += event.type === 'sample' ? event.prompt.length + event.text.length : usualCharacters;
      if (events.length >= mostNews.events || characters >= mostNews.characters) break;
    }
    return events;
  }

  forget(): void {
    this.#read = this.#kept.empty(this.#run);
    this.#newest = [];
    this.#isOpened = false;
  }

  #open(file: number): void {
    this.#read = this.#kept.open(this.#run, file);
    this.#newest = [];
    this.#isOpened = true;
  }

  #add(event: RunEvent): void {
    this.history.add(event);
    this.#newest.push(event);
    if (this.#newest.length > 2 * mostNewest) this.#newest.splice(0, mostNewest);
  }
}
