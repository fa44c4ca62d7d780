/** What is asked of models and of the machine, of another agent. */
import { basename } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { Finding } from '@anneal/core/protocol/checks';
import type { SupportFile } from '@anneal/core/protocol/host';
import type { ModelUseCases } from '../commands/useCases.ts';
import { reporting } from '../service/reporting.ts';
import type { Connection } from './connection.ts';
import { followJob } from './jobs.ts';
import { runThere } from './names.ts';
import { notRemote } from './notRemote.ts';

export function remoteModels(connection: Connection, signal: AbortSignal): ModelUseCases {
  const { ask, first } = connection;
  const cached = async (name: string) => {
    const models = await ask((api) => api.models.list.query());
    const found = models.find((one) => one.place === 'cache' && (one.name === name || one.path === name));
    if (found) return found;
    throw new UserError({
      what: 'the agent has pulled no such model',
      where: `${name} at ${connection.address.url.origin}`,
      next: 'see what is there with `anneal models ls`',
      code: 'model_not_in_cache',
    });
  };
  return {
    listModels: (_, { paths = [] }) =>
      reporting(async () => {
        if (paths.length > 0) {
          throw notRemote('the agent lists its own models', paths.join(' '), 'leave the paths out');
        }
        return ask((api) => api.models.list.query());
      }),
    async *checkModel(_, { model }) {
      const { job } = await ask((api) => api.models.check.mutate({ model }));
      return yield* followJob<'checkModel'>(connection, job, signal);
    },
    async removableModel(_, { model }) {
      const { path, runs } = await cached(model);
      if (runs.length === 0) return { folder: path };
      throw new UserError({
        what: `runs need this model: ${runs.map((run) => basename(run)).join(', ')}`,
        where: path,
        next: 'remove those runs first',
        code: 'model_in_use',
      });
    },
    async removeModel(_, { model }) {
      const { path } = await cached(model);
      await ask((api) => api.models.remove.mutate({ model }));
      return { folder: path };
    },
    async *pullModel(_, { model, revision, data }) {
      const { job } = await ask((api) => api.models.pull.mutate({ model, revision, data }));
      return yield* followJob<'pull' | 'pullData'>(connection, job, signal);
    },
    listCatalog: () => ask((api) => api.models.catalog.query()),
    async collectSupport(_, { run }) {
      const key = run === undefined ? undefined : (await runThere(connection, run)).key;
      return ask((api) => api.host.support.query({ run: key })) as Promise<SupportFile>;
    },
    examineHost: () =>
      reporting(() => first<Finding[]>((api, listener) => api.host.examine.subscribe(undefined, listener))),
  };
}
