/**
 * Use cases that may have a process of their own (`runner/runApart.ts`): they compute for long, or take memory that is wholly given
 * back only with a process. Requests, progress and results are plain values.
 */
export const useCases = {
  estimate: async () => (await import('./estimate.ts')).estimateRun,
  reportOnData: async () => (await import('./data/inspect.ts')).reportOnData,
  editRow: async () => (await import('./data/editRow.ts')).editRow,
  addRow: async () => (await import('./data/editRow.ts')).addRow,
  measureChat: async () => (await import('./chat/open.ts')).measureChat,
  evaluate: async () => (await import('./evaluate/evaluate.ts')).evaluateSource,
  checkParity: async () => (await import('./exports/parity.ts')).checkParity,
  planExport: async () => (await import('./exports/plan.ts')).planExport,
  export: async () => (await import('./exports/export.ts')).exportSource,
  push: async () => (await import('./push/push.ts')).pushExport,
  diagnoseRun: async () => (await import('./runs/diagnose.ts')).diagnoseRun,
  examineHost: async () => (await import('./host/examineHost.ts')).examineHost,
  collectSupport: async () => (await import('./support/collect.ts')).collectSupport,
  listModels: async () => (await import('./models/list.ts')).listModels,
  checkModel: async () => (await import('./models/check.ts')).checkModel,
  surveyStorage: async () => (await import('./storage/survey.ts')).surveyStorage,
  cleanStorage: async () => (await import('./storage/clean.ts')).cleanStorage,
  synthesize: async () => (await import('./synthesis/synthesize.ts')).synthesizeRows,
  pull: async () => (await import('./models/pull.ts')).pullModel,
} as const;

export type UseCaseName = keyof typeof useCases;
type UseCase<Name extends UseCaseName> = Awaited<ReturnType<(typeof useCases)[Name]>>;
export type RequestOf<Name extends UseCaseName> = Parameters<UseCase<Name>>[1];
type GeneratorOf<Name extends UseCaseName> = ReturnType<UseCase<Name>>;
export type ProgressOf<Name extends UseCaseName> = ProgressIn<GeneratorOf<Name>>;
export type ResultOf<Name extends UseCaseName> = ResultIn<GeneratorOf<Name>>;

export type ProgressIn<Generator> = Generator extends AsyncGenerator<infer Progress, unknown> ? Progress : never;
export type ResultIn<Generator> = Generator extends AsyncGenerator<unknown, infer Result> ? Result : never;
