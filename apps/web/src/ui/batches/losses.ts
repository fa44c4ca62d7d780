import type { MeasuredStep, StudioBatch } from '@anneal/core/protocol/batches';
import { byLoss } from '@anneal/core/protocol/byLoss';

export interface RowWithLoss {
  document: number;
  file: string;
  row: number;
  /** Of the data file in the workspace. */
  key: string | null;
  tokens: number;
  targetTokens: number;
  excerpt: string;
  side?: 'chosen' | 'rejected' | undefined;
  /** As training found it; of a run that recorded none as it was measured. Null where it is not finite, undefined where it is not known. */
  loss: number | null | undefined;
}

/** The rows of a batch, the highest losses first. */
export function withLosses({ rows }: StudioBatch, measured: MeasuredStep | undefined): RowWithLoss[] {
  const means = new Map(measured?.means.map(({ document, loss }) => [document, loss]));
  const found = rows.map((row) => ({ ...row, loss: row.loss === undefined ? means.get(row.document) : row.loss }));
  return found.sort(byLoss);
}

/** A token that was expected once in four hundred times, and all that are rarer, have the full color. */
export const fullLoss = 6;

export function shadeOf(loss: number | null | undefined): number | undefined {
  if (loss === undefined) return undefined;
  return loss === null ? 1 : Math.min(1, loss / fullLoss);
}
