/** Models that are here, and those that are fetched. */

import { basename, join } from 'node:path';
import { datasetTitle } from '@anneal/core/hub/datasets/cache';
import type { Catalog, LocalModel } from '@anneal/core/protocol/models';
import { cachedModelRequest, type PullRequest, pullRequest } from '@anneal/core/protocol/models';
import { runApart } from '../../runner/runApart.ts';
import { keyOfHubData } from '../../service/data/hubData.ts';
import { finish } from '../../service/finish.ts';
import { cachedNamed } from '../../service/models/list.ts';
import { listCatalog, publishedName } from '../../service/models/pull.ts';
import { removeModel } from '../../service/models/remove.ts';
import { askApart } from '../askApart.ts';
import { nothing, procedure, router } from './trpc.ts';

export const models = router({
  /** By name. What lies in the workspace, and the runs, are named by their keys. */
  list: procedure.input(nothing).query(async ({ ctx, signal }): Promise<LocalModel[]> => {
    const { workspace, feeds } = ctx.agent;
    const all = await feeds.all();
    const exported = all.flatMap(({ path }) => workspace.models(join(path, 'export')));
    const paths = [...workspace.models(), ...exported].map(({ path }) => path);
    const request = { paths, runs: all.map(({ path }) => path) };
    const found = await finish(askApart('listModels', {}, request, signal));
    const keys = new Map(all.map(({ key, path }) => [basename(path), key]));
    return found.map((model) => ({
      ...model,
      ...(model.place === 'folder' && { name: workspace.keyOf(model.path) }),
      runs: model.runs.flatMap((id) => keys.get(id) ?? []),
    }));
  }),

  /** The models that have a short name. */
  catalog: procedure.input(nothing).query((): Catalog => listCatalog()),

  /** Begins a job that downloads a model or a data set into the cache, or goes on with one that was broken off. */
  pull: procedure.input(pullRequest.omit({ offline: true })).mutation(({ ctx, input }): { job: string } => {
    const { jobs, secrets } = ctx.agent;
    const pull = (signal: AbortSignal) => runApart('pull', { secrets: secrets.open() }, input, signal);
    if (!input.data) {
      const subject = publishedName(input.model);
      return { job: jobs.start({ kind: 'pull', subject, target: targetOf(subject, input) }, pull).id };
    }
    const { name = null, split = null } = input.data;
    const subject = datasetTitle(input.model, { revision: input.revision ?? null, name, split, dataFiles: null });
    const order = { kind: 'pullData', subject, target: targetOf(input.model, input) } as const;
    const { id } = jobs.start(order, async function* (signal) {
      const pulled = yield* pull(signal);
      return { ...pulled, key: keyOfHubData(pulled.path) };
    });
    return { job: id };
  }),

  /** Begins a job that compares a pulled model with the hashes that it came with. */
  check: procedure.input(cachedModelRequest).mutation(({ ctx, input }): { job: string } => {
    const { name } = cachedNamed(input.model);
    const order = { kind: 'checkModel', subject: name, target: input.model } as const;
    return { job: ctx.agent.jobs.start(order, (signal) => runApart('checkModel', {}, input, signal)).id };
  }),

  /** Removes a model from the cache with which no run of the workspace began. */
  remove: procedure.input(cachedModelRequest).mutation(async ({ ctx, input }) => {
    const runs = (await ctx.agent.feeds.all()).map(({ path }) => path);
    removeModel({}, { ...input, runs });
  }),
});

/** One job for each thing that is pulled. */
function targetOf(subject: string, { revision = '', data }: Pick<PullRequest, 'revision' | 'data'>): string {
  return [subject, revision, ...(data ? [JSON.stringify(data)] : [])].join('@');
}
