import { extname } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { FirstBatches, LossToken, RecipeBatch } from '@anneal/core/protocol/batches';
import { finishPreparing } from '../terminal/preparation.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';
import { formatTokens } from '../terminal/tokens.ts';
import { formatCount } from '../units.ts';
import { type OpenedFirstBatches, useCase } from './useCases.ts';

interface Options {
  count: number;
  set?: readonly string[];
  tokens?: boolean;
  ids?: boolean;
  json?: boolean;
}

type Row = RecipeBatch['rows'][number];

/** The batches that training would begin with: which rows lie in each, and with `tokens` what of them is trained. */
export async function inspectBatches(
  source: string,
  { count, set, tokens = false, ids = false, json = false }: Options,
): Promise<void> {
  if (!/^\.ya?ml$/i.test(extname(source))) throw noRecipe(source);
  const openFirstBatches = await useCase('openFirstBatches');
  const opened = await finishPreparing(openFirstBatches({}, { recipe: source, set }));
  try {
    const found = await opened.list({ count });
    if (json) {
      const shown = tokens || ids ? await withTokens(opened, found) : found;
      return printJson(shown);
    }
    for (const warning of found.warnings) remark(warning.message);
    print(aboutAll(found));
    for (const [index, batch] of found.batches.entries()) {
      printBatch(batch, index + 1, found);
      if (!tokens && !ids) continue;
      for (const row of batch.rows) printTokens(row, await tokensOf(opened, row), ids);
    }
  } finally {
    await opened.close();
  }
}

function aboutAll({ batches, totalSteps, stepsPerEpoch, maxTokens, isPacked, hasDivergence }: FirstBatches): string {
  const lines = [
    `the first ${batches.length === 1 ? 'batch' : `${batches.length} batches`} of ${formatCount(totalSteps)} steps, ` +
      `${formatCount(stepsPerEpoch)} in an epoch; a batch has room for ${formatCount(maxTokens)} tokens, ` +
      (isPacked ? 'and rows share it (sample_packing)' : 'and rows are not packed'),
  ];
  if (hasDivergence) lines.push('each step also passes over its prompts with answers of other rows, not shown here');
  return lines.join('\n');
}

function printBatch(
  { step, number, of, tokens, targetTokens, padding, rows }: RecipeBatch,
  n: number,
  all: FirstBatches,
) {
  const place = of === 1 ? `step ${formatCount(step)}` : `step ${formatCount(step)}, ${number} of its ${of} batches`;
  const empty = all.maxTokens - tokens;
  const filled = padding === 0 ? 'no padding' : `${formatCount(padding)} of padding`;
  print(
    `\nbatch ${n} (${place}): ${formatCount(tokens)} tokens, ${formatCount(targetTokens)} trained, ${filled}, ` +
      `room for ${formatCount(empty)} more\n`,
  );
  print(
    formatTable(
      [
        { title: 'START', align: 'right' },
        { title: 'TOKENS', align: 'right' },
        { title: 'TRAINED', align: 'right' },
        { title: 'ROW' },
        { title: 'BEGINS WITH' },
      ],
      rows.map((row) => [
        formatCount(row.start),
        formatCount(row.tokens),
        formatCount(row.targetTokens),
        nameOf(row),
        row.excerpt.slice(0, 60),
      ]),
    ),
  );
}

const nameOf = ({ file, row, side }: Row): string => `${file}:${row}${side ? `, ${side}` : ''}`;

function printTokens(row: Row, tokens: readonly LossToken[], ids: boolean): void {
  print(`\n${nameOf(row)}`);
  // Of a character in several tokens the last one has the text.
  const shown = tokens.flatMap(({ text, target }) => (text === '' ? [] : [{ text, supervised: target }]));
  print(formatTokens(shown));
  if (!ids) return;
  print(
    formatTable(
      [{ title: 'AT', align: 'right' }, { title: 'ID', align: 'right' }, { title: 'LOSS' }, { title: 'TOKEN' }],
      tokens.map(({ id, spelled, target }, at) => [
        String(at),
        String(id),
        target ? 'trained' : '',
        JSON.stringify(spelled),
      ]),
    ),
  );
}

async function tokensOf(opened: OpenedFirstBatches, { document, tokens }: Row): Promise<LossToken[]> {
  const all: LossToken[] = [];
  while (all.length < tokens) all.push(...(await opened.row({ document, from: all.length })).tokens);
  return all;
}

async function withTokens(opened: OpenedFirstBatches, found: FirstBatches) {
  const batches = [];
  for (const batch of found.batches) {
    const rows = [];
    for (const row of batch.rows) rows.push({ ...row, tokenList: await tokensOf(opened, row) });
    batches.push({ ...batch, rows });
  }
  return { ...found, batches };
}

function noRecipe(source: string): UserError {
  return new UserError({
    what: 'only a recipe says how rows are put into batches',
    where: `--batches of ${source}`,
    next: 'name a recipe (.yaml), or leave out --batches',
    code: 'not_a_recipe',
  });
}
