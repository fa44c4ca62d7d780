/** What of the workspace may be looked at, and how each is opened. Names are looked up, never joined to a path. */
import { readFileSync } from 'node:fs';
import { UserError } from '@anneal/core/errors';
import { defaultCacheDirectory, pulledModels } from '@anneal/core/hub/cache';
import { mappingKeys } from '@anneal/core/protocol/columns';
import type { DataReportResult, InspectRequest } from '@anneal/core/protocol/data';
import {
  type DataSourceName,
  type HubData,
  hubEntry,
  type ListedData,
  type OtherText,
} from '@anneal/core/protocol/dataView';
import type { BrowsedData } from '../../service/data/browse.ts';
import { listHubData } from '../../service/data/hubData.ts';
import { finish } from '../../service/finish.ts';
import { openRecipe } from '../../service/recipes/open.ts';
import { askApart } from '../askApart.ts';
import { hashOf } from '../auth/secrets.ts';
import { type Lease, OpenedShared } from '../openedShared.ts';
import type { Workspace } from '../workspace.ts';

export class DataSources {
  readonly #workspace: Workspace;
  readonly #opened = new OpenedShared('data');

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** The recipes, the data files, what was pulled of hubs, and the models that the recipes name. */
  async list(): Promise<ListedData> {
    const recipes = this.#workspace.recipes();
    const files = this.#workspace.dataFiles();
    return {
      recipes: recipes.map(({ key }) => ({ key })),
      files: files.map(({ key, bytes, modified }) => ({ key, bytes, modified: modified.toISOString() })),
      hub: listHubData(),
      folders: this.#workspace.uploadFolders().map(({ key }) => key),
      models: await this.#models(),
      tokenizers: [...this.#tokenizers().keys()],
    };
  }

  /** @throws UserError `dataset_not_here` */
  hub(key: string): HubData {
    const found = listHubData().find((data) => data.isWhole && data.key === key);
    if (found) return found;
    throw new UserError({
      what: 'there is no such data set of a hub here',
      where: key,
      next: 'it may have been removed: download it again',
      code: 'dataset_not_here',
    });
  }

  /** What else reads a row, with the path of the model. @throws UserError `model_not_known` */
  otherText(other: OtherText | null): OtherText | null {
    const { model } = other ?? {};
    if (!other || !model) return other;
    const path = this.#tokenizers().get(model);
    if (path !== undefined) return { ...other, model: path };
    throw new UserError({
      what: 'there is no such model here whose tokenizer could read the row',
      where: model,
      next: 'choose one from the list; `anneal pull` fetches others',
      code: 'model_not_known',
    });
  }

  /** Opens the data of a recipe, or a file with a model that reads it. @throws UserError, InvalidRecipe */
  async use<T>(name: DataSourceName, work: (data: Lease<BrowsedData>['opened']) => Promise<T>): Promise<T> {
    const { key, request } = await this.#requestOf(name);
    using lease = await this.#opened.take(key, request);
    try {
      return await work(lease.opened);
    } catch (error) {
      if (error instanceof UserError && error.code === 'data_changed') await this.#opened.drop(key);
      throw error;
    }
  }

  /** What is worth knowing of all rows together. It ends when nobody listens any more. */
  async report(name: DataSourceName, signal: AbortSignal): Promise<DataReportResult> {
    const { request } = await this.#requestOf(name);
    return finish(askApart('reportOnData', {}, request, signal));
  }

  async close(): Promise<void> {
    await this.#opened.close();
  }

  async #requestOf({ recipe, file, hub, model, mapping }: DataSourceName): Promise<{
    key: string;
    request: InspectRequest;
  }> {
    if (recipe !== null) {
      const source = this.#workspace.recipe(recipe);
      // Another text is other data.
      return { key: `${source}\n${hashOf(readFileSync(source, 'utf8'))}`, request: { source } };
    }
    const { path: source, ...entry } =
      hub === null ? { path: this.#workspace.dataFile(file ?? '') } : hubEntry(this.hub(hub));
    const models = await this.#models();
    const chosen = model ?? models[0];
    if (chosen !== undefined && models.includes(chosen)) {
      const chosenRows = Object.entries(entry).map(([key, value]) => `datasets.0.${key}=${JSON.stringify(value)}`);
      const set = [...chosenRows, ...overridesOf(mapping)];
      return { key: [source, chosen, ...set].join('\n'), request: { source, model: chosen, set } };
    }
    throw new UserError({
      what:
        chosen === undefined
          ? 'no recipe here names a model that could read the data'
          : 'no recipe here names this model',
      where: chosen ?? file ?? hub ?? '',
      next: 'write a recipe with that model, and look at the data through it',
      code: 'model_of_no_recipe',
    });
  }

  /** Paths by key or name. */
  #tokenizers(): Map<string, string> {
    const pulled = pulledModels(defaultCacheDirectory()).map(({ name, path }) => [name, path] as const);
    return new Map([...this.#workspace.models().map(({ key, path }) => [key, path] as const), ...pulled]);
  }

  /** Of recipes that are right; newest first. */
  async #models(): Promise<string[]> {
    const named = await Promise.all(
      this.#workspace.recipes().map(({ path }) =>
        openRecipe(path).then(
          ({ resolved }) => resolved.base_model,
          (error: unknown) => {
            if (error instanceof UserError) return undefined; // the recipes screen says what is wrong with it
            throw error;
          },
        ),
      ),
    );
    return [...new Set(named.filter((model) => model !== undefined))];
  }
}

/** Only what says how rows are read: a path would open any file. @throws UserError `mapping_refused` */
function overridesOf(mapping: string | null): string[] {
  const lines = (mapping ?? '').split('\n').filter((line) => line !== '');
  const refused = lines.find((line) => !mappingKeys.some((key) => line.startsWith(`datasets.0.${key}=`)));
  if (refused === undefined) return lines;
  throw new UserError({
    what: 'this does not say how the rows of a file are read',
    where: refused,
    next: `set datasets.0.… of ${mappingKeys.join(', ')}`,
    code: 'mapping_refused',
  });
}
