import type { ProgressIn, ResultIn } from './useCases.ts';

/**
 * What may be opened in a process of its own (`runner/openApart.ts`) and used there for a while. Its methods take one plain value, and a
 * signal where they can be broken off; they return a plain value, or are generators of plain values.
 */
export const openables = {
  chat: async () => (await import('./chat/open.ts')).openChat,
  data: async () => (await import('./data/browse.ts')).browseData,
  batches: async () => (await import('./runs/batches.ts')).openBatches,
  firstBatches: async () => (await import('./recipes/firstBatches.ts')).openFirstBatches,
} as const;

export type OpenableName = keyof typeof openables;
type Open<Name extends OpenableName> = Awaited<ReturnType<(typeof openables)[Name]>>;
export type OpenRequestOf<Name extends OpenableName> = Parameters<Open<Name>>[1];
export type OpenProgressOf<Name extends OpenableName> = ProgressIn<ReturnType<Open<Name>>>;
/** What is opened, as it is in its process. */
export type OpenedOf<Name extends OpenableName> = ResultIn<ReturnType<Open<Name>>>;
