/** `events.jsonl`: one event a line, appended, numbered from 1 without gap or duplicate. */
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs';
import { UserError } from '../errors.ts';
import { type EventBody, type RunEvent, runEventSchema } from '../protocol/events.ts';
import { asDiskError } from './durable.ts';

/** What is on the disk after a power cut is at most this old. A killed process loses nothing. */
const syncWithinMilliseconds = 1000;

export class EventLog {
  readonly #file: number;
  readonly #path: string;
  #lastSeq: number;
  #timer: NodeJS.Timeout | undefined;
  #syncError: Error | undefined;

  private constructor(path: string, file: number, lastSeq: number) {
    this.#path = path;
    this.#file = file;
    this.#lastSeq = lastSeq;
  }

  /** Opens the log for writing, cuts a line that a crash left unfinished, and returns the events before it. */
  static open(path: string): { log: EventLog; events: RunEvent[] } {
    const file = openSync(path, 'a+');
    try {
      const { events, validBytes } = parseLog(readFileSync(path), path);
      if (validBytes < fstatSync(file).size) ftruncateSync(file, validBytes);
      return { log: new EventLog(path, file, events.length), events };
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /** Numbers, dates and appends the event. `durable`: on the disk before this returns. */
  append(body: EventBody, options: { durable: boolean }): RunEvent {
    if (this.#syncError) throw this.#syncError;
    const line = `${JSON.stringify({ seq: this.#lastSeq + 1, time: new Date().toISOString(), ...body })}\n`;
    const event = runEventSchema.parse(JSON.parse(line));
    const before = fstatSync(this.#file).size;
    try {
      const bytes = Buffer.from(line);
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
    } catch (error) {
      ftruncateSync(this.#file, before);
      throw asDiskError(error, this.#path);
    }
    this.#lastSeq = event.seq;
    if (options.durable) fdatasyncSync(this.#file);
    else this.#syncSoon();
    return event;
  }

  close(): void {
    clearTimeout(this.#timer);
    fdatasyncSync(this.#file);
    closeSync(this.#file);
  }

  #syncSoon(): void {
    this.#timer ??= setTimeout(() => {
      fdatasync(this.#file, (error) => {
        if (error) this.#syncError = error;
      });
      this.#timer = undefined;
    }, syncWithinMilliseconds).unref();
  }
}

/** The events of a log that another process may be writing: a last line that is not finished yet is left out. */
export function readEvents(path: string): RunEvent[] {
  return parseLog(readFileSync(path), path).events;
}

/** As `readEvents`, only those after `seq`: when they are few, only the end of the file is read. */
export function readEventsAfter(path: string, seq: number): RunEvent[] {
  const tail = readTail(path);
  const lines = tail.slice(tail.indexOf('\n') + 1, tail.lastIndexOf('\n')).split('\n');
  const events = lines.map(parseLine);
  const isWhole = events.every((event, index) => event && event.seq === (events[0]?.seq ?? 0) + index);
  const reachesBack = events[0] !== undefined && events[0].seq <= seq + 1;
  const found = isWhole && reachesBack ? (events as RunEvent[]) : readEvents(path);
  return found.filter((event) => event.seq > seq);
}

const tailBytes = 1 << 16;

function readTail(path: string): string {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, tailBytes));
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, size - bytes.length));
  } finally {
    closeSync(file);
  }
}

/** The events up to a torn last line, and the number of bytes they take. Throws when a line before it is damaged. */
function parseLog(bytes: Buffer, path: string): { events: RunEvent[]; validBytes: number } {
  const events: RunEvent[] = [];
  let start = 0;
  for (;;) {
    const end = bytes.indexOf('\n', start);
    if (end < 0) return { events, validBytes: start };
    const event = parseLine(bytes.toString('utf8', start, end));
    if (event?.seq !== events.length + 1) {
      if (end + 1 === bytes.length) return { events, validBytes: start };
      throw new UserError({
        what: `the event log is damaged: line ${events.length + 1} is not event number ${events.length + 1}`,
        where: `${path}:${events.length + 1}`,
        next: 'restore the file from a copy, or start a new run from the last checkpoint with lora_model_dir',
        code: 'event_log_damaged',
      });
    }
    events.push(event);
    start = end + 1;
  }
}

export function parseLine(line: string): RunEvent | undefined {
  try {
    return runEventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
