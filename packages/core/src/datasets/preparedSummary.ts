/** What preparation found out, as it stands in the manifest; a manifest from elsewhere is checked before it is believed. */
import type { z } from 'zod';
import { preparedSummarySchema } from '../protocol/data.ts';
import { damagedStore, MANIFEST_FILE, type StoreManifest } from './storeManifest.ts';
import type { TokenStore } from './tokenStore.ts';

export type PreparedSummary = Readonly<z.infer<typeof preparedSummarySchema>>;

/**
 * The summary of a manifest, its numbers compared with the tokens that it speaks of.
 * @throws UserError `token_cache_damaged`
 */
export function summaryOf(
  folder: string,
  manifest: StoreManifest,
  train: TokenStore,
  validation: TokenStore | null,
): PreparedSummary {
  const { data: summary, error } = preparedSummarySchema.safeParse(manifest.summary);
  if (!summary) {
    const [issue] = error.issues;
    throw damagedStore(folder, `${MANIFEST_FILE}: summary.${issue?.path.join('.')}: ${issue?.message}`);
  }
  const right: Partial<PreparedSummary> = {
    tokens: sum(train.lengths),
    targetTokens: sum(train.targetCounts),
    trainDocuments: train.count,
    validationDocuments: validation?.count ?? 0,
    dropped: sum(Object.values(summary.droppedBy)),
    rows: summary.kept + summary.truncated + summary.dropped,
  };
  for (const [key, value] of Object.entries(right)) {
    const said = summary[key as keyof PreparedSummary];
    if (said !== value) throw damagedStore(folder, `${MANIFEST_FILE} says ${key} ${said}, there are ${value}`);
  }
  if (summary.files.map(({ path }) => path).join('\n') === manifest.files.join('\n')) return summary;
  throw damagedStore(folder, `${MANIFEST_FILE} names other files in its summary`);
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0);
