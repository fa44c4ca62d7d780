import { UNICODE_TABLES } from './unicodeTables.ts';

const LETTERS = ['Lu', 'Ll', 'Lt', 'Lm', 'Lo'] as const;

/** A character that V8 and the tokenizers library take for different kinds, because they follow different versions of Unicode. */
export const DISPUTED_CHARACTER: RegExp = new RegExp(
  Object.entries({ ...UNICODE_TABLES, L: undefined })
    .flatMap(([name, table]) => {
      const theirs =
        table === undefined ? LETTERS.map((kind) => rangesOf(UNICODE_TABLES[kind])).join('') : rangesOf(table);
      const ours = `\\p{${name === 'Digits' ? 'N' : name}}`;
      return [`[${ours}--[${theirs}]]`, `[[${theirs}]--${ours}]`];
    })
    .join('|'),
  'v',
);

function rangesOf(table: string): string {
  let point = 0;
  const points = table.split(' ').map((distance) => {
    point += Number.parseInt(distance, 36);
    return `\\u{${point.toString(16)}}`;
  });
  return points.flatMap((first, i) => (i % 2 === 0 ? [`${first}-${points[i + 1]}`] : [])).join('');
}
