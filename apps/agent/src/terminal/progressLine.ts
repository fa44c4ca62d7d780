/** One line at the bottom of a terminal that is redrawn in place; other lines can be printed above it meanwhile. */
import { safeText } from '../safeText.ts';
import { shown } from './colors.ts';

const redrawMilliseconds = 80;

export class ProgressLine {
  readonly #out: NodeJS.WriteStream;
  #text = '';
  #drawnAt = 0;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  /** Shows `text` (without colors), cut to the width of the terminal; drops redraws that come faster than an eye follows. */
  show(text: string): void {
    this.#text = safeText(text).replaceAll('\n', ' ');
    if (Date.now() - this.#drawnAt >= redrawMilliseconds) this.#draw();
  }

  /** Prints a line that stays. */
  print(line: string): void {
    this.#erase();
    this.#out.write(`${shown(line)}\n`);
    if (this.#text) this.#draw();
  }

  clear(): void {
    this.#erase();
    this.#text = '';
  }

  #draw(): void {
    this.#drawnAt = Date.now();
    this.#out.write(`\r\x1b[2K${this.#text.slice(0, Math.max(1, this.#out.columns - 1))}`);
  }

  #erase(): void {
    if (this.#drawnAt > 0) this.#out.write('\r\x1b[2K');
  }
}

/** ███████░░░░░ */
export function bar(fraction: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}

/** A bar before `text`, as long as `columns` leave room for; none where it would be too short to tell anything. */
export function barBefore(text: string, fraction: number, columns: number): string {
  const width = Math.min(20, columns - 2 - text.length);
  return width < 4 ? text : `${bar(fraction, width)} ${text}`;
}
