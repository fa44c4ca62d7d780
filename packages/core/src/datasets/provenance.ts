/** Where a row that `anneal synthesize` made comes from. Nothing of it is trained. Browser-safe. */
export const PROVENANCE_COLUMN = 'anneal_provenance';
