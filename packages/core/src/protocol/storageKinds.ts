/** What takes room, without the schemas, which a page does not load for it. Browser-safe. */

/**
 * `runs`: what runs need, their newest and best checkpoints included; `checkpoints`: the others; `exports`; `trash`: removed runs;
 * `models` and `datasets`: pulled ones; `files`: data files of the workspace, which are somebody's; `prepared`: tokens that can be
 * made again; `uploads`: files that were not sent to their end.
 */
export const storageKinds = [
  'runs',
  'checkpoints',
  'exports',
  'trash',
  'models',
  'datasets',
  'files',
  'prepared',
  'uploads',
] as const;
export type StorageKind = (typeof storageKinds)[number];

/** Kinds of which `clean` removes nothing. */
export const removedElsewhere: ReadonlySet<StorageKind> = new Set(['runs', 'exports', 'files']);
