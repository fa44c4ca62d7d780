/** What is asked of exports, of another agent. */
import { UserError } from '@anneal/core/errors';
import type { ListedExport, StudioExport } from '@anneal/core/protocol/exports';
import type { ExportUseCases } from '../commands/useCases.ts';
import { reporting } from '../service/reporting.ts';
import type { Connection } from './connection.ts';
import { followJob } from './jobs.ts';
import { runsThere, runThere } from './names.ts';
import { notRemote } from './notRemote.ts';

export function remoteExports(connection: Connection, signal: AbortSignal): ExportUseCases {
  const { ask } = connection;
  const named = async (name = 'latest') => (await runThere(connection, name)).key;
  const chosen = async (run: string, paths: readonly string[]) => {
    const all = await ask((api) => api.exports.list.query({ run }));
    return paths.map((path) => {
      const found = all.find(({ key }) => key === path);
      if (found) return found;
      throw new UserError({
        what: 'the run was not exported as this',
        where: path,
        next: 'name it as `anneal exports ls` shows it',
        code: 'export_not_found',
      });
    });
  };
  /** By its key, whichever run it is of. */
  const exportThere = async (name: string) => {
    for (const { key: run } of await runsThere(connection)) {
      const all = await ask((api) => api.exports.list.query({ run }));
      if (all.some(({ key }) => key === name)) return { run, exported: name };
    }
    return undefined;
  };
  return {
    async listExports(_, { run }) {
      const key = await named(run);
      return (await ask((api) => api.exports.list.query({ run: key }))).map(listed);
    },
    async removableExports(_, { run, paths }) {
      return (await chosen(await named(run), paths)).map(listed);
    },
    async removeExports(_, { run, paths }) {
      const key = await named(run);
      const gone = await chosen(key, paths);
      await ask((api) => api.exports.remove.mutate({ run: key, exports: gone.map((one) => one.key) }));
      return gone.map(listed);
    },
    planExport: (_, { source, checkpoint }) =>
      reporting(async () => {
        const run = await named(source);
        return ask((api) => api.exports.plan.query({ run, checkpoint }));
      }),
    async *pushExport(_, { source, ...wanted }) {
      const order = (await exportThere(source)) ?? { run: await named(source) };
      const { job } = await ask((api) => api.exports.push.mutate({ ...wanted, ...order }));
      return yield* followJob<'push'>(connection, job, signal);
    },
    async *checkParity(_, { source, exported, prompts, checkpoint, maxTokens }) {
      if (prompts !== undefined || checkpoint !== undefined || (maxTokens !== undefined && maxTokens !== 32)) {
        throw notRemote(
          'the agent compares with the questions of the recipe, 32 tokens each, at the checkpoint of the export',
          '--prompt, --max-tokens, --checkpoint',
          'leave them out, or check on the machine itself',
        );
      }
      const run = await named(source);
      const all = await ask((api) => api.exports.list.query({ run }));
      const keys = exported ?? all.filter(({ form }) => form !== 'ollama').map(({ key }) => key);
      const { job } = await ask((api) => api.exports.check.mutate({ run, exports: [...keys] }));
      const compared = yield* followJob<'parity'>(connection, job, signal);
      return compared.map((one) => ({
        ...one,
        path: all.find(({ key }) => one.path.endsWith(`/${key}`))?.key ?? one.path,
      }));
    },
  };
}

function listed({ key, ...entry }: StudioExport): ListedExport {
  return { ...entry, folder: key.slice(0, -entry.path.length).replace(/\/$/, '') || '.' };
}
