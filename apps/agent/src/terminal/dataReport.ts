import { describeLeftOut } from '@anneal/core/datasets/leftOut';
import { PROVENANCE_COLUMN } from '@anneal/core/datasets/provenance';
import { describeSource, type LeftOut } from '@anneal/core/datasets/types';
import { adviceOnClass, describeUnread } from '@anneal/core/datasets/unreadColumns';
import type { DataReport } from '@anneal/core/protocol/data';
import { formatCount } from '../units.ts';
import { colors } from './colors.ts';
import { formatHistogram } from './histogram.ts';
import { print } from './print.ts';
import { printEvent } from './runProgress.ts';
import { formatPairs } from './table.ts';

export function printReport(
  { summary, sequenceLen, packing, nearDuplicates, leakage, warnings }: DataReport,
  { isPacked }: { isPacked: boolean },
): void {
  const describePacking = ({ bins, efficiency, unpacked }: NonNullable<DataReport['packing']>): string =>
    `${formatCount(bins)} rows of ${formatCount(sequenceLen)}, ${percent(efficiency)} full (one row each: ${percent(unpacked)})` +
    (!isPacked && bins * 2 <= summary.trainDocuments
      ? '; the rows are short: sample_packing: true makes fewer, fuller steps'
      : '');
  const reasons = Object.entries(summary.droppedBy).map(([reason, count]) => `${formatCount(count)} ${reason}`);
  const near = nearDuplicates.examples
    .slice(0, 3)
    .map(
      ({ first, second, similarity }) => `${describeSource(second)} is ${percent(similarity)} ${describeSource(first)}`,
    );
  print(
    formatPairs([
      ...summary.files.map(({ path, format, rejectedUnread }): [string, string] => [
        'file',
        `${path} (${format})${rejectedUnread ? `: ${colors.yellow('preference pairs')}, whose rejected answers are not read` : ''}`,
      ]),
      ...summary.files
        .filter(({ unread }) => Object.keys(unread).length > 0)
        .map(({ path, unread }): [string, string] => {
          const advice = adviceOnClass(unread);
          return [
            'not read',
            `${colors.yellow(describeUnread(unread))} of ${path}${advice === null ? '' : `; ${advice}`}`,
          ];
        }),
      ...summary.files
        .filter(({ provenance }) => provenance > 0)
        .map(({ path, provenance }): [string, string] => [
          'provenance',
          `${formatCount(provenance)} rows of ${path} say where they come from (${PROVENANCE_COLUMN}, not trained)`,
        ]),
      [
        'rows',
        `${formatCount(summary.rows)}: ${formatCount(summary.kept)} kept, ${warn(summary.truncated)} truncated, ${warn(summary.dropped)} dropped${reasons.length > 0 ? ` (${reasons.join(', ')})` : ''}`,
      ],
      ...Object.entries(summary.leftOut).map(([part, { rows, first }]): [string, string] => [
        'left out',
        `${colors.yellow(describeLeftOut(part as LeftOut['part'], rows))}, first ${first}`,
      ]),
      [
        'documents',
        `${formatCount(summary.trainDocuments)} to train on, ${formatCount(summary.validationDocuments)} to measure`,
      ],
      [
        'tokens an epoch',
        `${formatCount(summary.tokens)}, ${formatCount(summary.targetTokens)} trained (${percent(summary.targetTokens / Math.max(1, summary.tokens))})`,
      ],
      ['longest row', `${formatCount(summary.longest)} tokens of at most ${formatCount(sequenceLen)}`],
      ...(packing ? [['packing', describePacking(packing)] satisfies [string, string]] : []),
      [
        'near duplicates',
        `${warn(nearDuplicates.pairs)} pairs among ${formatCount(nearDuplicates.compared)} documents${near.length > 0 ? `: ${near.join('; ')}` : ''}`,
      ],
      ['leakage', `${warn(leakage.exact)} validation documents are also trained on, ${warn(leakage.near)} nearly`],
    ]),
  );
  const { width, total, supervised } = summary.histogram;
  print('\nrows by tokens');
  print(
    formatHistogram(
      width,
      [
        { title: 'all tokens', counts: total },
        { title: 'trained tokens', counts: supervised },
      ],
      {
        value: sequenceLen,
        label: 'sequence_len',
      },
      summary.histogram.open,
    ),
  );
  for (const warning of warnings) printEvent(warning, print);
}

function warn(count: number): string {
  return count > 0 ? colors.yellow(formatCount(count)) : '0';
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
