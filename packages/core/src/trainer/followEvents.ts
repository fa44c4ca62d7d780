/** Following runs as they are written. However many follow one run, one timer looks at its log and reads what is new, once. */
import { closeSync, fstatSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RunEvent } from '../protocol/events.ts';
import { linesOfFile, parseLine, placeBefore } from './eventReader.ts';
import { openRunFile } from './runFiles.ts';
import { runOwner } from './runLock.ts';

const lookEveryMilliseconds = 50;

/**
 * Yields events after `afterSeq` as they are written, for as long as `isLive` (by default: a process is writing the run). What is
 * on the disk when that ends is always yielded. Who is slow misses nothing and nothing piles up: it reads on from the file.
 */
export async function* followEvents(
  path: string,
  { afterSeq = 0, isLive }: { afterSeq?: number; isLive?: () => boolean } = {},
): AsyncGenerator<RunEvent> {
  const run = resolve(path);
  const log = WatchedLog.of(run);
  const goesOn = isLive ?? (() => runOwner(run) !== undefined);
  try {
    let position = placeBefore(log.file, afterSeq + 1).byte;
    for (;;) {
      const isEnding = !goesOn();
      for (const { event, end } of newLines(log.file, position)) {
        position = end;
        if (event && event.seq > afterSeq) yield event;
      }
      if (isEnding) return;
      for (;;) {
        const look = await log.nextLook(position, isLive);
        if (look === undefined || look.from !== position) break;
        position = look.to;
        for (const event of look.events) if (event.seq > afterSeq) yield event;
      }
    }
  } finally {
    log.leave();
  }
}

/** What one look at the log found between two bytes, at which lines begin. */
interface Look {
  readonly from: number;
  readonly to: number;
  readonly events: readonly RunEvent[];
}

interface Waiting {
  readonly isLive: (() => boolean) | undefined;
  readonly resolve: (look: Look | undefined) => void;
}

/** The log of a run that is followed. */
class WatchedLog {
  static readonly #all = new Map<string, WatchedLog>();

  readonly file: number;
  readonly #run: string;
  #followers = 0;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** The byte after the last line that a look has found. */
  #seen = 0;

  private constructor(run: string) {
    this.#run = run;
    this.file = openRunFile(join(run, 'events.jsonl'));
  }

  /** The caller leaves it in the end. */
  static of(run: string): WatchedLog {
    const log = WatchedLog.#all.get(run) ?? new WatchedLog(run);
    WatchedLog.#all.set(run, log);
    log.#followers++;
    return log;
  }

  leave(): void {
    if (--this.#followers > 0) return;
    clearInterval(this.#timer);
    closeSync(this.file);
    WatchedLog.#all.delete(this.#run);
  }

  /**
   * The next look that finds something. Undefined for a follower that has to read for itself: one that is behind the others, or
   * whose run no longer goes on.
   * @param position the byte to which the follower has read, all that was there
   */
  nextLook(position: number, isLive: (() => boolean) | undefined): Promise<Look | undefined> {
    if (this.#timer && position < this.#seen) return Promise.resolve(undefined);
    if (!this.#timer) {
      this.#seen = position;
      this.#timer = setInterval(() => this.#look(), lookEveryMilliseconds);
    }
    return new Promise((resolved) => this.#waiting.push({ isLive, resolve: resolved }));
  }

  #look(): void {
    // Before the events: a process that ends in between has then written its last one.
    let owned: boolean | undefined;
    const isOwned = () => (owned ??= runOwner(this.#run) !== undefined);
    const [lasting, ending] = [[] as Waiting[], [] as Waiting[]];
    for (const one of this.#waiting) ((one.isLive ?? isOwned)() ? lasting : ending).push(one);

    const from = this.#seen;
    const events: RunEvent[] = [];
    for (const { event, end } of newLines(this.file, from)) {
      this.#seen = end;
      if (event) events.push(event);
    }
    const found = this.#seen > from ? { from, to: this.#seen, events } : undefined;
    this.#waiting = found ? [] : lasting;
    for (const { resolve: tell } of ending) tell(undefined);
    if (found) for (const { resolve: tell } of lasting) tell(found);
    if (this.#waiting.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** A last line that is not finished is read again the next time: the next launch may cut it off. */
function* newLines(file: number, from: number): Generator<{ event: RunEvent | undefined; end: number }> {
  if (fstatSync(file).size <= from) return;
  for (const { text, end } of linesOfFile(file, { from })) {
    yield { event: text === undefined ? undefined : parseLine(text), end };
  }
}
