/** Colors where a terminal shows them: never into a pipe, never with NO_COLOR, always with FORCE_COLOR. */
import { randomUUID } from 'node:crypto';
import picocolors from 'picocolors';
import { safeText } from '../safeText.ts';

type Paint = 'bold' | 'dim' | 'underline' | 'black' | 'red' | 'green' | 'yellow' | 'cyan' | 'bgGreen' | 'bgGreenBright';
type Colors = Record<Paint, (text: string) => string> & { isColorSupported: boolean };

/** Stands for the escape of a color of ours until it is printed: what a foreign text holds nobody takes for one. */
const mark = `\ufdd0${randomUUID()}`;
const escape = '\u001b';

export const colors = paintsOf(areShownBy(process.stdout));
export const errorColors = paintsOf(areShownBy(process.stderr));

/** What is written to a terminal of a text with colors of ours: nothing else in it is obeyed. */
export function shown(text: string, { isColorSupported }: Colors = colors): string {
  const safe = safeText(text);
  return isColorSupported ? safe.replaceAll(mark, escape) : withoutColors(safe);
}

export function withoutColors(text: string): string {
  return text.includes(mark) ? text.replace(new RegExp(`${mark}\\[\\d+m`, 'g'), '') : text;
}

export function paintsOf(isColorSupported: boolean): Colors {
  const plain = picocolors.createColors(isColorSupported);
  if (!isColorSupported) return plain;
  const marked = (paint: Paint) => (text: string) =>
    plain[paint](safeText(text).replaceAll(mark, escape)).replaceAll(escape, mark);
  return {
    isColorSupported,
    bold: marked('bold'),
    dim: marked('dim'),
    underline: marked('underline'),
    black: marked('black'),
    red: marked('red'),
    green: marked('green'),
    yellow: marked('yellow'),
    cyan: marked('cyan'),
    bgGreen: marked('bgGreen'),
    bgGreenBright: marked('bgGreenBright'),
  };
}

function areShownBy(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  // isTTY is undefined for a pipe, and picocolors takes undefined for "decide yourself".
  return Boolean(FORCE_COLOR || (stream.isTTY && TERM !== 'dumb'));
}
