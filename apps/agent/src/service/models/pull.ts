import { dirname } from 'node:path';
import { readProvenance } from '@anneal/core/hub/cache';
import { catalog, isGgufCopy, modelByName } from '@anneal/core/hub/catalog';
import { pullDataset } from '@anneal/core/hub/datasets/pull';
import * as hub from '@anneal/core/hub/pull';
import {
  type Catalog,
  type PulledModel,
  type PullProgress,
  type PullRequest,
  pullRequest,
} from '@anneal/core/protocol/models';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';
import { whyNotOpened } from './list.ts';

/** Downloads a model or a data set into the cache. What has arrived of one that is broken off stays, and the next pull continues it. */
export async function* pullModel(
  { signal: outer, secrets }: Context,
  request: PullRequest,
): AsyncGenerator<PullProgress, PulledModel> {
  const { model, revision, offline, data } = parseRequest(pullRequest, request);
  const path = yield* reporting<PullProgress, string>(async (onProgress, signal) => {
    const options = { token: secrets?.hf_token, ...(offline ? { offline: true } : {}), onProgress, signal };
    if (!data) return hub.pullModel(model, { ...options, revision });
    const { name = null, split = null, files: dataFiles = null } = data;
    return (await pullDataset(model, { revision: revision ?? null, name, split, dataFiles }, options)).folder;
  }, outer);
  const provenance = data || !path.endsWith('.gguf') ? undefined : readProvenance(dirname(path));
  const isCopy = provenance !== undefined && isGgufCopy(provenance.id, provenance.revision);
  return { model, path, isCopy, error: data ? null : whyNotOpened(path) };
}

/** What the cache calls the model meant by this; what is no name of a model comes back as it is. */
export function publishedName(model: string): string {
  const known = modelByName(model);
  return known ? [known.entry.id, ...(known.file === undefined ? [] : [known.file])].join('/') : model;
}

/** The models that have a short name. */
export function listCatalog(): Catalog {
  return catalog.map(({ name, id }) => ({ name, id }));
}
