/** The batches of runs that somebody looks at. */
import type { StepBatch, StudioBatch } from '@anneal/core/protocol/batches';
import { finish } from '../../service/finish.ts';
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
    const keys = new Map(this.#workspace.dataFiles().map(({ path, key }) => [path, key]));
    return { ...batch, rows: batch.rows.map((row) => ({ ...row, key: keys.get(row.file) ?? null })) };
  }

  async close(): Promise<void> {
    await this.#opened.close();
  }
}
