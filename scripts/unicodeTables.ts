/**
 * `node scripts/unicodeTables.ts`: asks the tokenizers library about every character and writes
 * packages/core/src/tokenizers/byteLevel/unicodeTables.ts. To be run again when the library's version changes.
 * Its expressions follow another version of Unicode than V8's do, and its Digits step yet another.
 */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

interface Library {
  Tokenizer: { fromString(json: string): { getPreTokenizer(): { preTokenizeString(text: string): unknown[] } } };
}

const core = join(import.meta.dirname, '..', 'packages', 'core');
const fromCore = createRequire(join(core, 'package.json'));
const { Tokenizer } = fromCore('tokenizers') as Library;
const { version } = fromCore('tokenizers/package.json') as { version: string };

const model = { type: 'BPE', vocab: { a: 0 }, merges: [] };
const categories = ['Ll', 'Lm', 'Lo', 'Lt', 'Lu', 'M', 'N', 'P', 'S', 'White_Space'];

const tables = categories.map((name) => {
  const pattern = { Regex: `\\p{${name}}` };
  return [name, rangesOf({ type: 'Split', pattern, behavior: 'Isolated', invert: false })] as const;
});
tables.push(['Digits', rangesOf({ type: 'Digits', individual_digits: true })]);

writeFileSync(
  join(core, 'src', 'tokenizers', 'byteLevel', 'unicodeTables.ts'),
  `/**
 * Made by scripts/unicodeTables.ts of tokenizers ${version}: what its expressions take for letters, marks, numbers and so on, and
 * its Digits step for digits. First and last code point of each range in base 36, each as the distance from the one before.
 */
export const UNICODE_TABLES = {
${tables.map(([name, ranges]) => `  ${name}:\n    '${ranges}',`).join('\n')}
} as const;
`,
);

/** The characters that a step cuts off. */
function rangesOf(step: object): string {
  const parts = { version: '1.0', added_tokens: [], model, pre_tokenizer: step };
  const preTokenizer = Tokenizer.fromString(JSON.stringify(parts)).getPreTokenizer();
  // A character that is between two of no such kind; a tab is no letter, an "a" no white space.
  const around = preTokenizer.preTokenizeString('aa').length === 1 ? 'a' : '\u0378';
  const distances: number[] = [];
  let last = 0;
  let isInside = false;
  for (let point = 0; point <= 0x110000; point++) {
    const isCut = point < 0x110000 && (point < 0xd800 || point > 0xdfff) && cuts(preTokenizer, around, point);
    if (isCut === isInside) continue;
    const edge = isCut ? point : point - 1;
    distances.push(edge - last);
    last = edge;
    isInside = isCut;
  }
  return distances.map((distance) => distance.toString(36)).join(' ');
}

function cuts(preTokenizer: { preTokenizeString(text: string): unknown[] }, around: string, point: number): boolean {
  return preTokenizer.preTokenizeString(`${around}${String.fromCodePoint(point)}${around}`).length === 3;
}
