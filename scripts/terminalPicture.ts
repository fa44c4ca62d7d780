/**
 * A recorded terminal as a picture for the README:
 *   script -qc "npm run --silent quickstart" recording
 *   node scripts/terminalPicture.ts recording > docs/images/quickstart.svg
 * What the terminal showed, but of the training only its beginning, one moment of its bar and its end.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { readArguments } from '../bench/arguments.ts';

const columns = 100;
const cell = { width: 8.4, height: 19, fontSize: 14 };
const colors: Record<number, string> = { 30: '#10141a', 31: '#ff7b72', 32: '#7ee787', 33: '#e3b341', 36: '#76d9e6' };
const backgrounds: Record<number, string> = { 42: '#3fb950', 102: '#7ee787' };
const escape = String.fromCharCode(27);
/** A change of style, or text in the style so far. */
const styled = new RegExp(`${escape}\\[(\\d+)m|([^${escape}]+)`, 'g');
const foreground = '#d6dde6';
/** Browsers fold plain spaces, and those at an end they drop: letters would be stretched over their room. */
const noBreakSpace = '\u00a0';

interface Style {
  color?: string | undefined;
  background?: string | undefined;
  bold?: boolean;
  dim?: boolean;
}

const { names } = readArguments({
  command: 'node scripts/terminalPicture.ts',
  about: 'Makes a picture (SVG, to standard output) of what `script` recorded of the quickstart.',
  names: ['RECORDING'],
});
const [recording] = names as [string];
process.stdout.write(picture(shownLines(readFileSync(recording, 'utf8'))));

/** The lines as they stood at the end, shortened to what a reader wants to see. */
function shownLines(text: string): string[] {
  const chapters = text
    .replaceAll(`${join(import.meta.dirname, '..')}/`, '')
    .split('\n')
    .filter((line) => !/^Script (started|done)/.test(line))
    .join('\n')
    .split(/\n(?=[^\n]*── )/);
  const start = chapters.findIndex((chapter) => chapter.includes('The memory'));
  return chapters.slice(start).flatMap((chapter) => {
    const lines = chapter.split('\n').map(finalState);
    if (!chapter.includes('── Training')) return lines;
    const end = lines.findIndex((line) => stripVTControlCharacters(line).startsWith('finished'));
    return [...lines.slice(0, 5), '⋮', barInTheMiddle(chapter), '⋮', ...lines.slice(end)];
  });
}

/** What a line that was written over and over showed last. */
function finalState(line: string): string {
  return (
    line
      .split('\r')
      .filter((part) => part !== '')
      .at(-1)
      ?.replaceAll(`${escape}[2K`, '') ?? ''
  );
}

function barInTheMiddle(text: string): string {
  const bars = [...text.matchAll(/[█░]+ +(\d+)\/(\d+) .*? left/g)];
  return (bars.find(([, done, all]) => Number(done) * 3 >= Number(all) * 2) ?? bars.at(-1))?.[0] ?? '';
}

function picture(lines: readonly string[]): string {
  const [width, height] = [columns * cell.width + 40, lines.length * cell.height + 36];
  const rows = lines.map((line, row) => drawLine(line, 20, 30 + row * cell.height)).filter((row) => row !== '');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="A terminal in which the quickstart has run">
<rect width="${width}" height="${height}" rx="10" fill="#10141a"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${cell.fontSize}">
${rows.join('\n')}
</g>
</svg>
`;
}

/** Each run of one style is a text of its own, with its length given: the columns stay in line in every font. */
function drawLine(line: string, x: number, y: number): string {
  let style: Style = {};
  let column = 0;
  const drawn: string[] = [];
  for (const [, code, text] of line.matchAll(styled)) {
    if (code !== undefined) style = changed(style, Number(code));
    const shown = fitted([...(text ?? '')], Math.max(0, columns - column));
    if (shown === '') continue;
    const [left, length] = [x + column * cell.width, [...shown].length * cell.width];
    const at = `x="${left.toFixed(1)}" y="${y}"`;
    if (style.background) {
      drawn.push(
        `<rect x="${left.toFixed(1)}" y="${y - 14}" width="${length.toFixed(1)}" height="18" fill="${style.background}"/>`,
      );
    }
    const look = `fill="${style.color ?? foreground}"${style.bold ? ' font-weight="bold"' : ''}${style.dim ? ' opacity="0.6"' : ''}`;
    if (shown.trim() !== '')
      drawn.push(`<text ${at} textLength="${length.toFixed(1)}" ${look}>${escaped(shown)}</text>`);
    column += [...shown].length;
  }
  return drawn.join('');
}

/** What is cut says so. */
function fitted(text: readonly string[], room: number): string {
  return text.length <= room || room === 0 ? text.slice(0, room).join('') : `${text.slice(0, room - 1).join('')}…`;
}

function changed(style: Style, code: number): Style {
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 22) return { ...style, bold: false, dim: false };
  if (code === 39) return { ...style, color: undefined };
  if (code === 49) return { ...style, background: undefined };
  if (colors[code]) return { ...style, color: colors[code] };
  if (backgrounds[code]) return { ...style, background: backgrounds[code] };
  return style;
}

function escaped(text: string): string {
  return text.replaceAll(' ', noBreakSpace).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
