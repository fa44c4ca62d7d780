/** Reading `events.jsonl`, in pieces, never as a whole, also while another process appends to it. */
import { closeSync, fstatSync, readSync } from 'node:fs';
import { UserError } from '../errors.ts';
import { eventsVersion, type RunEvent, runEventSchema } from '../protocol/events.ts';
import { openRunFile } from './runFiles.ts';

/** The longest are samples, a few KiB a line. */
export const longestLine = 16 << 20;
const pieceBytes = 1 << 18;

/**
 * The events after number `afterSeq`, one after the other; a last line that another process has not finished yet is left out.
 * @throws UserError `event_log_damaged`, `run_of_newer_version`
 */
export function* readEvents(path: string, { afterSeq = 0 }: { afterSeq?: number } = {}): Generator<RunEvent> {
  const file = openRunFile(path);
  try {
    const from = placeBefore(file, afterSeq + 1);
    for (const { event } of eventsOfFile(file, path, from)) if (event.seq > afterSeq) yield event;
  } finally {
    closeSync(file);
  }
}

/** A line of the log that holds the event `seq`, or some event before it. */
export interface Place {
  /** Byte at which the line begins. */
  readonly byte: number;
  /** Number of its event. */
  readonly seq: number;
}

const firstPlace: Place = { byte: 0, seq: 1 };

/**
 * The events from a place on up to a torn last line, each with the byte after it. Throws when a line before that is damaged, and
 * where a newer version has written them.
 */
export function* eventsOfFile(
  file: number,
  path: string,
  from: Place = firstPlace,
): Generator<{ event: RunEvent; end: number }> {
  let expected = from.seq;
  const damagedAt = (what: string) =>
    new UserError({
      what: `the event log is damaged: line ${expected} ${what}`,
      where: `${path}:${expected}`,
      next: 'restore the file from a copy, or start a new run from the last checkpoint with lora_model_dir',
      code: 'event_log_damaged',
    });
  for (const { text, end } of linesOfFile(file, { from: from.byte })) {
    if (text === undefined) throw damagedAt(`has more than ${longestLine} bytes`);
    const event = parseLine(text);
    if (event?.seq !== expected) {
      if (end === fstatSync(file).size) return;
      throw damagedAt(`is not event number ${expected}`);
    }
    refuseNewer(event, path);
    expected++;
    yield { event, end };
  }
}

function refuseNewer(event: RunEvent, path: string): void {
  if (event.type !== 'run_created' || (event.version ?? 1) <= eventsVersion) return;
  throw new UserError({
    what: `a newer Anneal has written this run: its events are of version ${event.version}, this one knows ${eventsVersion}`,
    where: path,
    next: 'use that version, or a newer one',
    code: 'run_of_newer_version',
  });
}

/** Bytes in which a line is looked for by reading them, and no longer by halving. */
const closeBytes = 1 << 16;

/**
 * Where to read from to come to the event `seq`. Every line begins with its number, so the place is found by halving: in 20 reads
 * among a million events, with no index that could be wrong.
 */
export function placeBefore(file: number, seq: number): Place {
  let place = firstPlace;
  let end = fstatSync(file).size;
  while (end - place.byte > closeBytes) {
    const middle = Math.floor((place.byte + end) / 2);
    const found = firstLineAfter(file, middle, end);
    if (found && found.seq <= seq) place = found;
    else end = middle;
  }
  return place;
}

/** The first line that begins after the byte and before `end`, where that is a line of an event. */
function firstLineAfter(file: number, byte: number, end: number): Place | undefined {
  const piece = Buffer.allocUnsafe(Math.min(closeBytes, end - byte));
  const bytes = readSync(file, piece, 0, piece.length, byte);
  const lineFeed = piece.subarray(0, bytes).indexOf(10);
  if (lineFeed < 0) return undefined;
  const seq = /^\{"seq":(\d{1,15}),/.exec(piece.toString('latin1', lineFeed + 1, Math.min(bytes, lineFeed + 32)))?.[1];
  return seq === undefined ? undefined : { byte: byte + lineFeed + 1, seq: Number(seq) };
}

/**
 * The finished lines of the file from a byte on, each with the byte after it; with `unfinished` also what comes after the last
 * of them. Of a line that is too long to be held the text is `undefined`, and it comes as soon as that is known, with the byte that
 * was read up to: such a line may be as long as a disk.
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
      if (unfinished && length > 0 && length <= longestLine)
        yield { text: Buffer.concat(parts).toString('utf8'), end: offset };
      return;
    }
    let start = 0;
    for (let at = piece.indexOf(10); at >= 0 && at < bytes; at = piece.indexOf(10, start)) {
      if (length <= longestLine) {
        yield { text: Buffer.concat([...parts, piece.subarray(start, at)]).toString('utf8'), end: offset + at + 1 };
      }
      parts = [];
      length = 0;
      start = at + 1;
    }
    offset += bytes;
    const wasHeld = length <= longestLine;
    length += bytes - start;
    // The buffer is read into again.
    if (length <= longestLine) parts.push(Buffer.from(piece.subarray(start, bytes)));
    else if (wasHeld) {
      parts = [];
      yield { text: undefined, end: offset };
    }
  }
}

export function parseLine(line: string): RunEvent | undefined {
  try {
    return runEventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
