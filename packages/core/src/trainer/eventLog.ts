/** `events.jsonl`: one event a line, appended, numbered from 1 without gap or duplicate. Read in pieces, never as a whole. */
import { closeSync, constants, fdatasync, fdatasyncSync, fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { UserError } from '../errors.ts';
import { type EventBody, type RunEvent, runEventSchema } from '../protocol/events.ts';
import { asDiskError } from './diskError.ts';
import { openRunFile } from './runFiles.ts';

/** What is on the disk after a power cut is at most this old. A killed process loses nothing. */
const syncWithinMilliseconds = 1000;
/** The longest are samples, a few KiB a line. */
const longestLine = 16 << 20;
const pieceBytes = 1 << 18;

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

  /** Opens the log for writing, gives every event in it to `onEvent`, and cuts a line that a crash left unfinished. */
  static open(path: string, onEvent: (event: RunEvent) => void): EventLog {
    const file = openRunFile(path, constants.O_RDWR | constants.O_APPEND);
    try {
      let lastSeq = 0;
      let validBytes = 0;
      for (const { event, end } of eventsOfFile(file, path)) {
        onEvent(event);
        lastSeq = event.seq;
        validBytes = end;
      }
      if (validBytes < fstatSync(file).size) ftruncateSync(file, validBytes);
      return new EventLog(path, file, lastSeq);
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
      if (bytes.length > longestLine) throw new Error(`an event of ${bytes.length} bytes is too long`);
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

/**
 * The events of a log, one after the other; a last line that another process has not finished yet is left out.
 * @throws UserError `event_log_damaged`
 */
export function* readEvents(path: string): Generator<RunEvent> {
  const file = openRunFile(path);
  try {
    for (const { event } of eventsOfFile(file, path)) yield event;
  } finally {
    closeSync(file);
  }
}

/** The events up to a torn last line, each with the byte after it. Throws when a line before that is damaged. */
function* eventsOfFile(file: number, path: string): Generator<{ event: RunEvent; end: number }> {
  let seq = 0;
  const damagedAt = (line: number, what: string) =>
    new UserError({
      what: `the event log is damaged: line ${line} ${what}`,
      where: `${path}:${line}`,
      next: 'restore the file from a copy, or start a new run from the last checkpoint with lora_model_dir',
      code: 'event_log_damaged',
    });
  for (const { text, end } of linesOfFile(file, { from: 0 })) {
    if (text === undefined) throw damagedAt(seq + 1, `has more than ${longestLine} bytes`);
    const event = parseLine(text);
    if (event?.seq !== seq + 1) {
      if (end === fstatSync(file).size) return;
      throw damagedAt(seq + 1, `is not event number ${seq + 1}`);
    }
    seq++;
    yield { event, end };
  }
}

/**
 * The finished lines of the file from a byte on, each with the byte after it; with `unfinished` also what comes after the last
 * of them. The text is `undefined` for a line that is too long to be held.
 */
export function* linesOfFile(
  file: number,
  { from, unfinished = false }: { from: number; unfinished?: boolean },
): Generator<{ text: string | undefined; end: number }> {
  const piece = Buffer.allocUnsafe(pieceBytes);
  let parts: Buffer[] = [];
  let length = 0;
  for (let offset = from; ; ) {
    const bytes = readSync(file, piece, 0, piece.length, offset);
    if (bytes === 0) {
      if (unfinished && length > 0)
        yield { text: length > longestLine ? undefined : Buffer.concat(parts).toString('utf8'), end: offset };
      return;
    }
    let start = 0;
    for (let at = piece.indexOf(10); at >= 0 && at < bytes; at = piece.indexOf(10, start)) {
      const isHeld = length + at - start <= longestLine;
      const text = isHeld ? Buffer.concat([...parts, piece.subarray(start, at)]).toString('utf8') : undefined;
      yield { text, end: offset + at + 1 };
      parts = [];
      length = 0;
      start = at + 1;
    }
    length += bytes - start;
    // The buffer is read into again. Of a line that is too long nothing more is kept.
    if (length > longestLine) parts = [];
    else if (start < bytes) parts.push(Buffer.from(piece.subarray(start, bytes)));
    offset += bytes;
  }
}

export function parseLine(line: string): RunEvent | undefined {
  try {
    return runEventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
