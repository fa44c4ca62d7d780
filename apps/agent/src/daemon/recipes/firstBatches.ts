/** The first batches of recipes that somebody looks at, prepared again once the recipe or its data are others. */
import { readFileSync, statSync } from 'node:fs';
import { UserError } from '@anneal/core/errors';
import type { BatchRowTokens, FirstBatchRowRequest, StudioFirstBatches } from '@anneal/core/protocol/batches';
import { dataOptions } from '@anneal/core/trainer/dataOptions';
import { finish } from '../../service/finish.ts';
import { openRecipe } from '../../service/recipes/open.ts';
import { hashOf } from '../auth/secrets.ts';
import { OpenedShared } from '../openedShared.ts';
import type { Workspace } from '../workspace.ts';

export class FirstBatchesOfRecipes {
  readonly #workspace: Workspace;
  readonly #opened = new OpenedShared('firstBatches', { idleMilliseconds: 60_000 });

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  async list(recipe: string, count: number): Promise<StudioFirstBatches> {
    const path = this.#workspace.recipe(recipe);
    const id = await idOf(path);
    using lease = await this.#opened.take(id, { recipe: path });
    const found = await finish(lease.opened.call('list', { count }));
    const keys = new Map(this.#workspace.dataFiles().map((file) => [file.path, file.key]));
    const batches = found.batches.map((batch) => ({
      ...batch,
      rows: batch.rows.map((row) => ({ ...row, key: keys.get(row.file) ?? null })),
    }));
    return { ...found, id, batches };
  }

  /** @throws UserError `batches_outdated` */
  async row(recipe: string, id: string, request: FirstBatchRowRequest): Promise<BatchRowTokens> {
    const path = this.#workspace.recipe(recipe);
    if (id !== (await idOf(path))) {
      throw new UserError({
        what: 'the recipe or its data have changed since these batches were made',
        where: recipe,
        next: 'look at the first batches again',
        code: 'batches_outdated',
      });
    }
    using lease = await this.#opened.take(id, { recipe: path });
    return await finish(lease.opened.call('row', request));
  }

  async close(): Promise<void> {
    await this.#opened.close();
  }
}

/** Of the text of a recipe and of the data files that it names, as they are now. */
async function idOf(path: string): Promise<string> {
  const { datasets, validationDatasets = [] } = dataOptions((await openRecipe(path)).resolved).prepare;
  const files = [...datasets, ...validationDatasets].flatMap((dataset) => dataset.files);
  const states = files.map((file) => {
    const { size, mtimeMs, ino } = statSync(file);
    return [file, size, mtimeMs, ino].join(' ');
  });
  return hashOf([path, readFileSync(path, 'utf8'), ...states].join('\n'));
}
