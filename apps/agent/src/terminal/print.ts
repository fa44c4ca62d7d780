/** What a command says goes to stdout; what it remarks on the way goes to stderr, so that a pipe gets only results. */
import { once } from 'node:events';
import { safeJson, safeText } from '../safeText.ts';
import { asCalled } from './asCalled.ts';
import { errorColors, shown } from './colors.ts';

export function print(text = ''): void {
  process.stdout.write(`${shown(text)}\n`);
}

/** Commands in it are written as this one was called. */
export function printHint(text: string): void {
  print(asCalled(text));
}

export function printJson(value: unknown): void {
  process.stdout.write(`${safeJson(JSON.stringify(value, null, 2))}\n`);
}

/** One JSON value a line, for streams. */
export function printJsonLine(value: unknown): void {
  process.stdout.write(`${safeJson(JSON.stringify(value))}\n`);
}

/** Until what was printed is taken: of a long output all would wait in memory for a slow reader. */
export async function untilTaken(): Promise<void> {
  // One that has gone is seen to where output is lost.
  if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain').catch(() => undefined);
}

/** A piece of a model's answer as it comes. A pipe gets it to the letter: there it is a result, and no terminal reads it. */
export function printPiece(text: string): void {
  process.stdout.write(process.stdout.isTTY ? safeText(text) : text);
}

/** Commands in it are written as this one was called. */
export function remark(text: string): void {
  remarkPiece(`${asCalled(text)}\n`);
}

/** A part of a line. */
export function remarkPiece(text: string): void {
  process.stderr.write(shown(text, errorColors));
}
