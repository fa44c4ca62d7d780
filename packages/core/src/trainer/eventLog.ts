/** Writing `events.jsonl`: one event a line, appended, numbered from 1 without gap or duplicate. */
import { closeSync, constants, fdatasync, fdatasyncSync, fstatSync, ftruncateSync, writeSync } from 'node:fs';
import { type EventBody, type RunEvent, runEventSchema } from '../protocol/events.ts';
import { asDiskError } from './diskError.ts';
import { eventsOfFile, longestLine } from './eventReader.ts';
import { openRunFile } from './runFiles.ts';

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
