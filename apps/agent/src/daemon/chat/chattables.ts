/** What one can talk to here: runs with a checkpoint, models of the workspace and pulled ones. Names are looked up, never joined to a path. */
import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { defaultCacheDirectory, pulledModels } from '@anneal/core/hub/cache';
import { variantOf } from '@anneal/core/protocol/chatTerms';
import type { Chattable } from '@anneal/core/protocol/chattable';
import { bestOf, listCheckpoints } from '@anneal/core/trainer/checkpointStore';
import { resolveSource } from '../../service/models/source.ts';
import type { RunFeed } from '../runs/feed.ts';
import type { RunFeeds } from '../runs/feeds.ts';
import type { Workspace } from '../workspace.ts';

/** A model as it is loaded. Two names of one model have one key. */
export interface Wanted {
  /** As it was asked for. */
  id: string;
  key: string;
  /** For `openChat`. */
  source: string;
  checkpoint: string | undefined;
  /** Without the adapter. */
  base: boolean;
  /** The run whose adapter may be any where it is left out anyway. */
  run: string | undefined;
}

const newest = (a: Chattable, b: Chattable): number => (a.created < b.created ? 1 : a.created > b.created ? -1 : 0);

export class Chattables {
  readonly #workspace: Workspace;
  readonly #feeds: RunFeeds;

  constructor(workspace: Workspace, feeds: RunFeeds) {
    this.#workspace = workspace;
    this.#feeds = feeds;
  }

  /** Newest first; runs before the models that they began with. */
  async list(): Promise<Chattable[]> {
    const feeds = await this.#feeds.all();
    const runs = (await Promise.all(feeds.map(chattableRun))).filter((run) => run !== undefined);
    const others = this.#files(feeds).map(({ id, kind, path }): Chattable => {
      const created = statSync(path, { throwIfNoEntry: false })?.mtime.toISOString() ?? '';
      const name = basename(id);
      return { id, kind, name, created, baseModel: null, hasBase: false, checkpoints: [], best: null };
    });
    return [...runs.sort(newest), ...others.sort(newest)];
  }

  /** @throws UserError `model_not_known`, `checkpoint_not_found`, and what opening a run may throw */
  async find(id: string): Promise<Wanted> {
    const feeds = await this.#feeds.all();
    const { model, variant } = variantOf(id);
    const run = feeds.find(({ key }) => key === id) ?? feeds.find(({ key }) => key === model);
    if (run) return this.#ofRun(id, run, run.key === id ? null : variant);
    const file = this.#files(feeds).find((known) => known.id === id);
    if (file) return { id, key: file.path, source: file.path, checkpoint: undefined, base: false, run: undefined };
    throw new UserError({
      what: 'there is no such model here',
      where: id,
      next: 'choose one of the list (/v1/models); a checkpoint of a run is <run>@<step>, and what it began with <run>@base',
      code: 'model_not_known',
    });
  }

  async #ofRun(id: string, { path }: RunFeed, variant: string | null): Promise<Wanted> {
    const base = variant === 'base';
    const checkpoint = base || variant === null ? undefined : variant;
    const { modelPath, adapterFolder, run } = await resolveSource({}, { source: path, checkpoint });
    if (base && adapterFolder === null) {
      throw new UserError({
        what: 'this run trained every weight, so there is no base model beneath it',
        where: id,
        next: 'choose the model that it began with instead',
        code: 'no_adapter',
      });
    }
    const step = String(run?.checkpoint.step);
    return { id, key: `${modelPath}\n${adapterFolder}`, source: path, checkpoint: step, base, run: path };
  }

  #files(feeds: readonly RunFeed[]): { id: string; kind: 'file' | 'pulled'; path: string }[] {
    const exported = feeds.flatMap(({ path }) => this.#workspace.models(join(path, 'export')));
    const files = [...this.#workspace.models(), ...exported];
    return [
      ...files.map(({ key, path }) => ({ id: key, kind: 'file' as const, path })),
      ...pulledModels(defaultCacheDirectory()).map(({ name, path }) => ({ id: name, kind: 'pulled' as const, path })),
    ];
  }
}

/** Undefined where there is no checkpoint to talk to, or none that can be read, and of reward models, which do not answer. */
async function chattableRun({ key, path, summary }: RunFeed): Promise<Chattable | undefined> {
  if (summary.rl === 'reward') return undefined;
  try {
    const checkpoints = await listCheckpoints(join(path, 'checkpoints'));
    if (checkpoints.length === 0) return undefined;
    return {
      id: key,
      kind: 'run',
      name: summary.name,
      created: summary.created,
      baseModel: summary.baseModel,
      hasBase: summary.adapter !== null,
      checkpoints: checkpoints.map(({ step }) => step),
      best: bestOf(checkpoints)?.step ?? null,
    };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
