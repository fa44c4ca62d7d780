import { describeSource, type LeftOut, type RowSource, type Verdict } from '@anneal/core/datasets/types';
import type { InspectedRow, InspectedText, InspectedToken } from '@anneal/core/protocol/data';
import { formatCount } from '../units.ts';
import { colors } from './colors.ts';
import { print } from './print.ts';
import { formatTable } from './table.ts';
import { formatTokens, type ShownToken } from './tokens.ts';

/** The rendered row token by token, what the loss counts in green, and its verdict; of a pair both answers. */
export function printRow(row: InspectedRow, options: { ids?: boolean }): void {
  const { rejected, margin } = row;
  const chosen = `, the chosen answer${margin === undefined ? '' : `, to be better by ${margin}`}`;
  print(colors.bold(`${describeSource(row.source)}${rejected ? chosen : ''}`));
  printText(row, options);
  if (rejected) {
    print(colors.bold(`${describeSource(row.source)}, the rejected answer`));
    printText(rejected, options);
  }
  const counts = [row, ...(rejected ? [rejected] : [])].flatMap(({ tokenCount, targetTokens }) =>
    tokenCount === null || targetTokens === null
      ? []
      : [`  ${formatCount(tokenCount)} tokens, ${formatCount(targetTokens)} trained`],
  );
  print(`${describeVerdict(row.verdict)}${counts.join(';')}`);
  printLeftOut([...row.leftOut, ...(rejected?.leftOut ?? [])]);
}

function printText({ text, tokens, tokensLeftOut }: InspectedText, options: { ids?: boolean }): void {
  if (text !== null) print(tokens === null ? text : formatTokens(shownTokens(text, tokens)));
  if (options.ids && tokens) {
    const rows = tokens.map(({ id, text: token, target }, index) => [
      String(index),
      String(id),
      target ? colors.green('trained') : '',
      JSON.stringify(token),
    ]);
    print(
      formatTable(
        [{ title: 'AT', align: 'right' }, { title: 'ID', align: 'right' }, { title: 'LOSS' }, { title: 'TOKEN' }],
        rows,
      ),
    );
    print();
  }
  if (tokensLeftOut > 0) print(colors.yellow(`… ${formatCount(tokensLeftOut)} more tokens, not shown`));
}

function printLeftOut(leftOut: readonly LeftOut[]): void {
  for (const { detail } of leftOut) print(`${colors.yellow('left out')}: ${detail}`);
}

export function printVerdict(
  source: RowSource,
  counts: { tokens: number | null; targetTokens: number | null },
  verdict: Verdict,
  leftOut: readonly LeftOut[],
): void {
  const numbers = counts.tokens === null ? '' : `  ${counts.tokens} tokens, ${counts.targetTokens} trained`;
  print(`${describeSource(source)}  ${describeVerdict(verdict)}${numbers}`);
  printLeftOut(leftOut);
}

function describeVerdict(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'kept':
      return colors.green('kept');
    case 'truncated':
      return `${colors.yellow('truncated')} from ${formatCount(verdict.from)} tokens`;
    case 'dropped':
      return `${colors.red('dropped')}: ${verdict.reason}, ${verdict.detail}`;
  }
}

/** Tokens that share one character are shown as one; those that stand for no text by their own name. */
function shownTokens(text: string, tokens: readonly InspectedToken[]): ShownToken[] {
  const shown: ShownToken[] = [];
  let shownTo = 0;
  for (const { start, end, text: token, target } of tokens) {
    if (end > start && end <= shownTo) continue;
    shown.push({ text: end > start ? text.slice(Math.max(start, shownTo), end) : token, supervised: target });
    shownTo = Math.max(shownTo, end);
  }
  return shown;
}
