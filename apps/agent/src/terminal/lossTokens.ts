import type { BatchRow, LossToken } from '@anneal/core/protocol/batches';
import { formatNumber } from '../units.ts';
import { colors } from './colors.ts';
import { print } from './print.ts';
import { formatTable } from './table.ts';

/** A loss of so much, of a token that was thought to come once in about twenty times, is worth a look. */
const high = 3;

/** One line for each token; those that were least expected stand out. @param from number of the first in its row */
export function printLossTokens(tokens: readonly LossToken[], from: number): void {
  print(
    formatTable(
      [
        { title: 'AT', align: 'right' },
        { title: 'ID', align: 'right' },
        { title: 'LOSS', align: 'right' },
        { title: 'PROBABILITY', align: 'right' },
        { title: 'TOKEN' },
      ],
      tokens.map(({ id, text, spelled, target, loss }, i) => {
        const shown = JSON.stringify(text === '' ? spelled : text);
        return [
          String(from + i),
          String(id),
          target ? lossesInWords(loss) : '',
          typeof loss === 'number' ? probability(loss) : '',
          (loss ?? 0) >= high ? colors.red(shown) : target ? shown : colors.dim(shown),
        ];
      }),
    ),
  );
}

/** `-` where none is recorded. */
export function lossesInWords(loss: BatchRow['loss']): string {
  if (loss === undefined) return '-';
  return loss === null ? 'not finite' : formatNumber(loss);
}

function probability(loss: number): string {
  const percent = 100 * Math.exp(-loss);
  return percent < 0.1 ? '< 0.1 %' : `${percent.toFixed(1)} %`;
}
