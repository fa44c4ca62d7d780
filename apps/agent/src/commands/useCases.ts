/**
 * What the commands ask for, and where it is done: on this machine, or by another agent where `anneal remote` says so. A
 * command asks by name, and prints the same either way.
 */
import type {
  BatchRowRequest,
  BatchRowTokens,
  FirstBatches,
  FirstBatchesRequest,
  FirstBatchRowRequest,
  MeasuredStep,
  MeasuringProgress,
  OpenBatchesRequest,
  StepBatch,
  StepRequest,
} from '@anneal/core/protocol/batches';
import type { Finding } from '@anneal/core/protocol/checks';
import type { DataReportResult, InspectedRow, InspectRequest, RowRange } from '@anneal/core/protocol/data';
import type { Estimate, PreparationProgress } from '@anneal/core/protocol/estimates';
import type { ListedExport, RemoveExportsRequest } from '@anneal/core/protocol/exports';
import type { SupportFile } from '@anneal/core/protocol/host';
import type { Catalog, RemoveModelRequest } from '@anneal/core/protocol/models';
import type { Queue, QueuedRun } from '@anneal/core/protocol/queue';
import type { RecipeRequest } from '@anneal/core/protocol/recipes';
import type { RunSummary, StopRunRequest } from '@anneal/core/protocol/runs';
import type { CleanedStorage, StorageSurvey } from '@anneal/core/protocol/storage';
import type { Context } from '../service/context.ts';
import { finish } from '../service/finish.ts';

/** Modules of use cases, of which the types are those of both places. */
interface Modules {
  list: typeof import('../service/runs/list.ts');
  show: typeof import('../service/runs/show.ts');
  follow: typeof import('../service/runs/follow.ts');
  stop: typeof import('../service/runs/stop.ts');
  acknowledge: typeof import('../service/runs/acknowledge.ts');
  remark: typeof import('../service/runs/remark.ts');
  compare: typeof import('../service/runs/compare.ts');
  answers: typeof import('../service/runs/answers.ts');
  diagnose: typeof import('../service/runs/diagnose.ts');
  remove: typeof import('../service/runs/remove.ts');
  validate: typeof import('../service/recipes/validate.ts');
  exports: typeof import('../service/exports/list.ts');
  plan: typeof import('../service/exports/plan.ts');
  parity: typeof import('../service/exports/parity.ts');
  models: typeof import('../service/models/list.ts');
  check: typeof import('../service/models/check.ts');
  push: typeof import('../service/push/push.ts');
  pull: typeof import('../service/models/pull.ts');
  chat: typeof import('../service/chat/open.ts');
  synthesis: typeof import('../service/synthesis/synthesize.ts');
}

/** The steps of a run, opened to look at their rows. */
export interface OpenedBatches {
  batch(request: StepRequest): Promise<StepBatch>;
  row(request: BatchRowRequest): Promise<BatchRowTokens>;
  measure(request: StepRequest): AsyncGenerator<MeasuringProgress, MeasuredStep>;
  close(): Promise<void>;
}

export interface RunUseCases {
  listRuns: Modules['list']['listRuns'];
  showRun: Modules['show']['showRun'];
  followRun: Modules['follow']['followRun'];
  readRunOutput: Modules['follow']['readRunOutput'];
  searchRunOutput: Modules['follow']['searchRunOutput'];
  /** Yields once it is asked. */
  stopRun(context: Context, request: StopRunRequest): AsyncGenerator<unknown, RunSummary>;
  saveRunNow: Modules['stop']['saveRunNow'];
  acknowledgeAlerts: Modules['acknowledge']['acknowledgeAlerts'];
  noteRun: Modules['remark']['noteRun'];
  tagRun: Modules['remark']['tagRun'];
  compareRuns: Modules['compare']['compareRuns'];
  removeRuns: Modules['remove']['removeRuns'];
  restoreRuns: Modules['remove']['restoreRuns'];
  listRemovedRuns: Modules['remove']['listRemovedRuns'];
  openBatches(context: Context, request: OpenBatchesRequest): AsyncGenerator<never, OpenedBatches>;
  sampledAnswers: Modules['answers']['sampledAnswers'];
  diagnoseRun: Modules['diagnose']['diagnoseRun'];
}

/** Rows of a recipe or a file, opened to look at them. */
export interface OpenedRows {
  rows: { range(range: RowRange): AsyncGenerator<InspectedRow, void> };
  isPacked(): Promise<boolean>;
  report(): AsyncGenerator<PreparationProgress, DataReportResult>;
  close(): Promise<void>;
}

/** The batches that a run would begin with. */
export interface OpenedFirstBatches {
  list(request: FirstBatchesRequest): Promise<FirstBatches>;
  row(request: FirstBatchRowRequest): Promise<BatchRowTokens>;
  close(): Promise<void>;
}

export interface RecipeUseCases {
  validateRecipe: Modules['validate']['validateRecipe'];
  estimateRun(context: Context, request: RecipeRequest): AsyncGenerator<PreparationProgress, { estimate: Estimate }>;
  openData(context: Context, request: InspectRequest): Promise<OpenedRows>;
  openFirstBatches(context: Context, request: RecipeRequest): AsyncGenerator<PreparationProgress, OpenedFirstBatches>;
}

export interface ExportUseCases {
  listExports(context: Context, request: { run: string }): Promise<ListedExport[]>;
  removableExports(context: Context, request: RemoveExportsRequest): Promise<ListedExport[]>;
  removeExports(context: Context, request: RemoveExportsRequest): Promise<ListedExport[]>;
  pushExport: Modules['push']['pushExport'];
  planExport: Modules['plan']['planExport'];
  checkParity: Modules['parity']['checkParity'];
}

export interface ModelUseCases {
  listModels: Modules['models']['listModels'];
  checkModel: Modules['check']['checkModel'];
  removableModel(context: Context, request: RemoveModelRequest): Promise<{ folder: string }>;
  removeModel(context: Context, request: RemoveModelRequest): Promise<{ folder: string }>;
  pullModel: Modules['pull']['pullModel'];
  listCatalog(): Promise<Catalog>;
  collectSupport(context: Context, request: { folder: string; run?: string | undefined }): Promise<SupportFile>;
  examineHost(context: Context, request: { folder: string }): AsyncGenerator<Finding, Finding[]>;
}

export interface ChatUseCases {
  openChat: Modules['chat']['openChat'];
}

interface SynthesisUseCases {
  synthesizeRows: Modules['synthesis']['synthesizeRows'];
}

export type WaitingRun = Pick<QueuedRun, 'run' | 'device' | 'priority' | 'since' | 'by'>;

export interface OpenedQueue {
  /** The folder, or the address, that the queue belongs to. */
  where: string;
  isRunning: boolean;
  read(): Promise<{ waiting: readonly WaitingRun[]; concurrency: Queue['concurrency'] }>;
  move(run: string, place: number): Promise<{ waiting: readonly WaitingRun[] }>;
  assign(run: string, device: string): Promise<{ waiting: readonly WaitingRun[] }>;
  remove(run: string): Promise<unknown>;
  setConcurrency(device: string, runs: number): Promise<unknown>;
}

interface QueueUseCases {
  /** @param folder that the agent serves, or one below it */
  openQueue(folder: string): Promise<OpenedQueue>;
}

interface StorageUseCases {
  /** @param folder that holds projects, or the agent serves */
  surveyStorage(folder: string): Promise<StorageSurvey>;
  cleanStorage(folder: string, items: readonly string[]): Promise<CleanedStorage>;
}

export interface UseCases
  extends RunUseCases,
    RecipeUseCases,
    ExportUseCases,
    ModelUseCases,
    ChatUseCases,
    SynthesisUseCases,
    QueueUseCases,
    StorageUseCases {}

/** Of this machine, each loaded when it is asked for. */
const here: { readonly [Name in keyof UseCases]: () => Promise<UseCases[Name]> } = {
  listRuns: async () => (await import('../service/runs/list.ts')).listRuns,
  showRun: async () => (await import('../service/runs/show.ts')).showRun,
  followRun: async () => (await import('../service/runs/follow.ts')).followRun,
  readRunOutput: async () => (await import('../service/runs/follow.ts')).readRunOutput,
  searchRunOutput: async () => (await import('../service/runs/follow.ts')).searchRunOutput,
  stopRun: async () => (await import('../service/runs/stop.ts')).stopRun,
  saveRunNow: async () => (await import('../service/runs/stop.ts')).saveRunNow,
  acknowledgeAlerts: async () => (await import('../service/runs/acknowledge.ts')).acknowledgeAlerts,
  noteRun: async () => (await import('../service/runs/remark.ts')).noteRun,
  tagRun: async () => (await import('../service/runs/remark.ts')).tagRun,
  compareRuns: async () => (await import('../service/runs/compare.ts')).compareRuns,
  openBatches: async () => (await import('../service/runs/batches.ts')).openBatches,
  sampledAnswers: async () => (await import('../service/runs/answers.ts')).sampledAnswers,
  diagnoseRun: async () => (await import('../service/runs/diagnose.ts')).diagnoseRun,
  removeRuns: async () => (await import('../service/runs/remove.ts')).removeRuns,
  restoreRuns: async () => (await import('../service/runs/remove.ts')).restoreRuns,
  listRemovedRuns: async () => (await import('../service/runs/remove.ts')).listRemovedRuns,
  surveyStorage: async () => (await import('./storageHere.ts')).surveyStorageOf,
  cleanStorage: async () => (await import('./storageHere.ts')).cleanStorageOf,
  validateRecipe: async () => (await import('../service/recipes/validate.ts')).validateRecipe,
  estimateRun: async () => (await import('../service/estimate.ts')).estimateRun,
  openFirstBatches: async () => (await import('../service/recipes/firstBatches.ts')).openFirstBatches,
  openData: async () => {
    const { openData } = await import('../service/data/inspect.ts');
    return async (context, request) => {
      const data = await openData(context, request);
      return { ...data, isPacked: async () => data.recipe.sample_packing };
    };
  },
  listExports: async () => (await import('../service/exports/list.ts')).listExports,
  removableExports: async () => (await import('../service/exports/remove.ts')).removableExports,
  removeExports: async () => (await import('../service/exports/remove.ts')).removeExports,
  pushExport: async () => {
    const [{ pushExport }, { secretsFor }] = await Promise.all([
      import('../service/push/push.ts'),
      import('./secretsHere.ts'),
    ]);
    return (context, request) => pushExport({ ...context, secrets: secretsFor(context.runsFolder) }, request);
  },
  planExport: async () => (await import('../service/exports/plan.ts')).planExport,
  checkParity: async () => (await import('../service/exports/parity.ts')).checkParity,
  listModels: async () => (await import('../service/models/list.ts')).listModels,
  checkModel: async () => (await import('../service/models/check.ts')).checkModel,
  removableModel: async () => {
    const { removableModel } = await import('../service/models/remove.ts');
    return async (context, request) => removableModel(context, request);
  },
  removeModel: async () => {
    const { removeModel } = await import('../service/models/remove.ts');
    return async (context, request) => removeModel(context, request);
  },
  pullModel: async () => {
    const [{ pullModel }, { secretsFor }] = await Promise.all([
      import('../service/models/pull.ts'),
      import('./secretsHere.ts'),
    ]);
    return (context, request) => pullModel({ ...context, secrets: secretsFor('.') }, request);
  },
  listCatalog: async () => {
    const { listCatalog } = await import('../service/models/pull.ts');
    return async () => listCatalog();
  },
  collectSupport: async () => {
    const { collectSupport } = await import('../service/support/collect.ts');
    return (context, request) => finish(collectSupport(context, request));
  },
  examineHost: async () => (await import('../service/host/examineHost.ts')).examineHost,
  openChat: async () => (await import('../service/chat/open.ts')).openChat,
  synthesizeRows: async () => (await import('../service/synthesis/synthesize.ts')).synthesizeRows,
  openQueue: async () => (await import('./queueHere.ts')).openQueue,
};

/** Another agent, for as long as this process lives: a command line asks one place only. */
let elsewhere: UseCases | undefined;

export function askElsewhere(useCases: UseCases): void {
  elsewhere = useCases;
}

export async function useCase<Name extends keyof UseCases>(name: Name): Promise<UseCases[Name]> {
  return elsewhere?.[name] ?? here[name]();
}
