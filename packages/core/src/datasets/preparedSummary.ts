/** What preparation found out, as it stands in the manifest; a manifest from elsewhere is checked before it is believed. */
import { z } from 'zod';
import { damagedStore, MANIFEST_FILE, type StoreManifest, type TokenStore } from './tokenStore.ts';
import { DROP_REASONS, LEFT_OUT_PARTS } from './types.ts';

const count = z.int().min(0);

const summarySchema = z.object({
  rows: count,
  kept: count,
  truncated: count,
  dropped: count,
  droppedBy: z.partialRecord(z.enum(DROP_REASONS), count).readonly(),
  /** Kept rows of which the chat template does not print a part: how many, and where the first stands. */
  leftOut: z.partialRecord(z.enum(LEFT_OUT_PARTS), z.object({ rows: count, first: z.string() })).readonly(),
  /** Tokens and targets of one epoch. */
  tokens: count,
  targetTokens: count,
  trainDocuments: count,
  validationDocuments: count,
  longest: count,
  /** Rows equal to an earlier one, dropped or not. */
  duplicates: count,
  /** Over all rows that have tokens, those that are too long included. */
  histogram: z.object({
    width: z.int().min(1),
    open: z.boolean(),
    total: z.array(count).readonly(),
    supervised: z.array(count).readonly(),
  }),
  files: z
    .array(
      z.object({
        path: z.string(),
        bytes: count,
        sha256: z.string(),
        format: z.string(),
        /** It holds preference pairs, whose rejected answers nothing is learned from. */
        rejectedUnread: z.boolean(),
        /** By column, its rows; the rejected answers apart. */
        unread: z.record(z.string(), count).readonly(),
      }),
    )
    .readonly(),
});
export type PreparedSummary = Readonly<z.infer<typeof summarySchema>>;

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
  const { data: summary, error } = summarySchema.safeParse(manifest.summary);
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
