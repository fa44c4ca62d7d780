/** The batches of runs that somebody looks at. */
import type { ListedAnswer } from '@anneal/core/protocol/answers';
import type { StepBatch, StudioBatch } from '@anneal/core/protocol/batches';
import { finish } from '../../service/finish.ts';
import { sampledAnswers } from '../../service/runs/answers.ts';
import type { RunBatches as OpenedBatches } from '../../service/runs/batches.ts';
import { type Lease, OpenedShared } from '../openedShared.ts';
import type { Workspace } from '../workspace.ts';

export class RunBatches {
  readonly #workspace: Workspace;
  readonly #opened = new OpenedShared('batches', { idleMilliseconds: 60_000 });

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** @param run its path */
  async use<T>(run: string, work: (batches: Lease<OpenedBatches>['opened']) => Promise<T>): Promise<T> {
    using lease = await this.#opened.take(run, { run });
    return await work(lease.opened);
  }

  async batch(run: string, step: number): Promise<StudioBatch> {
    const batch: StepBatch = await this.use(run, (batches) => finish(batches.call('batch', { step })));
    const keys = this.#keys();
    return { ...batch, rows: batch.rows.map((row) => ({ ...row, key: keys.get(row.file) ?? null })) };
  }

  /** What a step of `rl: grpo` sampled; data files in the workspace by their keys. */
  async answers(run: string, step: number): Promise<ListedAnswer[]> {
    const answers = await sampledAnswers({}, { run, step });
    const keys = this.#keys();
    return answers.map((answer) => ({ ...answer, file: keys.get(answer.file) ?? answer.file }));
  }

  #keys(): Map<string, string> {
    return new Map(this.#workspace.dataFiles().map(({ path, key }) => [path, key]));
  }

  async close(): Promise<void> {
    await this.#opened.close();
  }
}
