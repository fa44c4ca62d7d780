import { histogramOf } from '@anneal/core/datasets/histogram';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { paintsOf, shown } from '../src/terminal/colors.ts';
import { formatHistogram } from '../src/terminal/histogram.ts';
import { barBefore } from '../src/terminal/progressLine.ts';
import { displayWidth, formatTable } from '../src/terminal/table.ts';
import { formatTokens } from '../src/terminal/tokens.ts';
import { formatBytes, formatCount, formatDuration, formatNumber } from '../src/units.ts';

describe('numbers', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [999_949, '1.00 MB'],
    [134_515_008, '135 MB'],
    [1_234_567_890, '1.23 GB'],
    [15e15, '15000 TB'],
  ])('%d bytes', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test.each([
    [0, '0.0 s'],
    [9949, '9.9 s'],
    [9950, '10 s'],
    [59_499, '59 s'],
    [185_000, '3 min 05 s'],
    [3_599_999, '1 h 00 min'],
    [7_799_000, '2 h 10 min'],
    [100 * 3_600_000, '4 d 4 h'],
  ])('%d milliseconds', (milliseconds, text) => expect(formatDuration(milliseconds)).toBe(text));

  test.each([
    [null, 'not finite'],
    [0, '0'],
    [2.34567, '2.346'],
    [2e-4, '2.0e-4'],
    [12345.6, '12350'],
    [-0.5, '-0.5'],
  ])('%d', (value, text) => expect(formatNumber(value)).toBe(text));

  test.each([
    [80, '██████████░░░░░░░░░░ 5/10  1 s left'],
    [24, '████░░░░ 5/10  1 s left'],
    [19, '5/10  1 s left'],
  ])('a bar in %d columns leaves the last one free', (columns, line) => {
    expect(barBefore('5/10  1 s left', 0.5, columns)).toBe(line);
  });

  test('counts have separators', () => expect(formatCount(1234567.4)).toBe('1,234,567'));
});

test('colors of ours are shown, inside each other, too; those of a foreign text are not', () => {
  const paints = paintsOf(true);
  const text = paints.red(`a ${paints.green('b')} \u001b[31mc`);
  expect(shown(`${text} \u001b[30md`, paints)).toBe('\u001b[31ma \u001b[32mb\u001b[31m ␛[31mc\u001b[39m ␛[30md');
  expect(shown(text, paintsOf(false))).toBe('a b ␛[31mc');
});

describe('tables', () => {
  test('wide characters take two columns, colors none', () => {
    expect(displayWidth('日本')).toBe(4);
    expect(displayWidth('👩‍💻a')).toBe(3);
    expect(displayWidth(paintsOf(true).red('red'))).toBe(3);
    expect(displayWidth('\u001b[31mred')).toBe('␛[31mred'.length);
  });

  test('every cell of a column starts, or ends, in one place', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'é', '日', '👍', '-'), maxLength: 6 });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 }), (rows) => {
        const table = formatTable(
          [{ title: 'A' }, { title: 'B', align: 'right' }, { title: '|' }],
          rows.map((row) => [...row, '|']),
        );
        const ends = table.split('\n').map(displayWidth);
        expect(new Set(ends).size).toBe(1);
      }),
    );
  });
});

const numberOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text.replaceAll(',', ''));

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, count) => total + count, 0);
}

describe('histogram', () => {
  test('counts beside each other, and marks the limit', () => {
    const text = formatHistogram(
      10,
      [
        { title: 'all', counts: [3, 0, 1] },
        { title: 'trained', counts: [4, 0, 0] },
      ],
      { value: 25, label: 'sequence_len' },
    );
    expect(text.split('\n')).toEqual([
      `         all${' '.repeat(25)}trained`,
      ` 0 –  9  ${'█'.repeat(24)} 3  ${'█'.repeat(24)} 4`,
      `10 – 19  ${' '.repeat(24)} 0  ${' '.repeat(24)} 0`,
      `20 – 29  ${'█'.repeat(8)}${' '.repeat(16)} 1  ${' '.repeat(24)} 0  ← sequence_len`,
    ]);
  });

  test('a few very long rows do not take the room of all others', () => {
    const lengths = [...Array.from({ length: 200 }, (_, i) => 20 + (i % 60)), 900_000];
    const { width, open, total } = histogramOf(lengths, lengths);
    expect({ width, open }).toEqual({ width: 2, open: true });
    expect(sum(total)).toBe(201);
    const lines = formatHistogram(
      width,
      [{ title: 'all', counts: total }],
      { value: 1024, label: 'limit' },
      open,
    ).split('\n');
    expect(lines.length).toBeLessThanOrEqual(15);
    expect(lines.filter((line) => line.includes('█')).length).toBeGreaterThan(8);
    expect(lines.at(-1)).toMatch(/^80 and more .* 1 {2}← limit$/);
    expect(histogramOf([10, 20, 30], [0, 0, 0]).open).toBe(false);
  });

  test('of any counts fits on a screen and adds up, each range beginning where the one before ends', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { minLength: 2, maxLength: 200, size: 'max' }), fc.boolean(), (counts, open) => {
        const lines = formatHistogram(10, [{ title: '', counts }], undefined, open)
          .split('\n')
          .slice(1);
        expect(lines.length).toBeLessThanOrEqual(14);
        expect(sum(lines.map((line) => Number(/\d+$/.exec(line)?.[0])))).toBe(sum(counts));
        const ends = lines.map((line) => /^ *([\d,]+) (?:– +([\d,]+)|and more) /.exec(line)?.slice(1).map(numberOf));
        for (const [i, range] of ends.entries())
          expect(range?.[0]).toBe(i === 0 ? 0 : (ends[i - 1]?.[1] as number) + 1);
      }),
    );
  });
});

test('tokens without colors show their mask, their borders and every control character', () => {
  const tokens = [
    { text: '<user>', supervised: false },
    { text: 'Hi\n', supervised: false },
    { text: 'Hel', supervised: true },
    { text: 'lo\u001b[2J', supervised: true },
    { text: '<end>', supervised: false },
  ];
  expect(formatTokens(tokens, false)).toBe('<user>·Hi⏎\n⟦Hel·lo�[2J⟧<end>');
});
