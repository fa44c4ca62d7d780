/** What is asked of runs, of another agent. Paths are those below the folder that it serves. */
import { basename } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { MeasuredStep, MeasuringProgress } from '@anneal/core/protocol/batches';
import type { Diagnosing, Diagnosis } from '@anneal/core/protocol/diagnoses';
import {
  type FollowRunRequest,
  type RunComparison,
  type RunDetails,
  type RunList,
  type RunRequest,
  type RunSummary,
  runSummarySchema,
} from '@anneal/core/protocol/runs';
import type { ListedRun, RunNews, ShownState } from '@anneal/core/protocol/studio';
import type { OpenedBatches, RunUseCases } from '../commands/useCases.ts';
import { reporting } from '../service/reporting.ts';
import type { Connection, Listener } from './connection.ts';
import { runsThere, runThere } from './names.ts';
import { notRemote } from './notRemote.ts';

const ended: ReadonlySet<ShownState> = new Set(['finished', 'failed', 'stopped', 'interrupted', 'damaged', 'created']);

export function remoteRuns(connection: Connection): RunUseCases {
  const { ask } = connection;
  const named = async (name = 'latest') => (await runThere(connection, name)).key;
  return {
    async listRuns(): Promise<RunList> {
      return (await runsThere(connection)).map((run) =>
        run.state === 'damaged' && run.error
          ? { id: run.id, state: 'damaged', path: run.key, error: run.error }
          : summaryOf(run),
      );
    },
    async showRun(_, { run }: RunRequest): Promise<RunDetails> {
      const key = await named(run);
      const details = await ask((api) => api.runs.show.query({ run: key }));
      const here = (path: string) => path.replace(details.path, key);
      return {
        ...details,
        path: key,
        checkpoints: details.checkpoints.map((checkpoint) => ({ ...checkpoint, path: here(checkpoint.path) })),
        bestCheckpoint: details.bestCheckpoint && here(details.bestCheckpoint),
      };
    },
    async *followRun(_, { run, afterSeq = 0, follow = true }: FollowRunRequest) {
      for await (const { events } of newsOf(connection, await named(run), { afterSeq, follow })) yield* events;
    },
    async *readRunOutput(_, { run }: RunRequest) {
      const key = await named(run);
      const { text, cut } = await ask((api) => api.runs.output.query({ run: key }));
      if (cut) yield '(only the end: the rest stays where the run is)';
      yield* text.split('\n').slice(0, text.endsWith('\n') ? -1 : undefined);
    },
    async searchRunOutput(_, { run, text }) {
      const key = await named(run);
      return ask((api) => api.runs.searchOutput.query({ run: key, text }));
    },
    async *stopRun(_, { run, now }) {
      const key = await named(run);
      await ask((api) => api.runs.stop.mutate({ run: key, now }));
      yield;
      let last: ListedRun = await ask((api) => api.runs.get.query({ run: key }));
      if (!ended.has(last.state)) {
        for await (const { summary } of newsOf(connection, key, { afterSeq: last.seq, follow: true })) last = summary;
      }
      return summaryOf(last);
    },
    async saveRunNow(_, { run }) {
      const key = await named(run);
      await ask((api) => api.runs.save.mutate({ run: key }));
      return summaryOf(await ask((api) => api.runs.get.query({ run: key })));
    },
    async acknowledgeAlerts(_, { run, alerts }) {
      const key = await named(run);
      await ask((api) => api.runs.acknowledge.mutate({ run: key, alerts: alerts && [...alerts] }));
      return summaryOf(await ask((api) => api.runs.get.query({ run: key })));
    },
    async noteRun(_, { run, text }) {
      const key = await named(run);
      await ask((api) => api.runs.note.mutate({ run: key, text }));
      return summaryOf(await ask((api) => api.runs.get.query({ run: key })));
    },
    async tagRun(_, { run, add = [], remove = [] }) {
      const key = await named(run);
      await ask((api) => api.runs.tag.mutate({ run: key, add: [...add], remove: [...remove] }));
      return summaryOf(await ask((api) => api.runs.get.query({ run: key })));
    },
    openBatches: (_, { run }) => reporting(async () => batchesThere(connection, await named(run))),
    async sampledAnswers(_, { run, step }) {
      const key = await named(run);
      return ask((api) => api.runs.answers.query({ run: key, step }));
    },
    async *diagnoseRun(_, { run }) {
      const key = await named(run);
      const told = connection.listen<Diagnosing | Diagnosis>((api, listener) =>
        api.runs.diagnose.subscribe({ run: key }, listener),
      );
      for await (const news of told) {
        if (!('phase' in news)) return { ...news, path: key };
        yield news;
      }
      throw new Error('the diagnosis ended without a result');
    },
    async removeRuns(_, { runs, forGood }) {
      if (forGood) {
        throw notRemote(
          'an agent removes runs into its trash',
          '--for-good',
          'leave it out, then free the disk with `storage clean trash`',
        );
      }
      const found = await Promise.all(runs.map((run) => runThere(connection, run)));
      await ask((api) => api.runs.remove.mutate({ runs: found.map(({ key }) => key) }));
      const gone = await ask((api) => api.runs.removed.query());
      return found.map(({ id, key }) => ({
        id,
        path: key,
        bytes: gone.findLast((run) => run.key === key)?.bytes ?? 0,
      }));
    },
    async listRemovedRuns() {
      return (await ask((api) => api.runs.removed.query())).map(({ key, ...run }) => ({ ...run, path: key }));
    },
    async restoreRuns(_, { runs }) {
      const removed = (await ask((api) => api.runs.removed.query())).toReversed();
      const found = runs.map((name) => removed.find(({ id, key }) => id === name || key === name)?.key ?? name);
      for (const run of found) await ask((api) => api.runs.restore.mutate({ run }));
      return found.map((path) => ({ id: basename(path), path }));
    },
    async compareRuns(_, { runs, steps }) {
      const found = await Promise.all(runs.map((run) => named(run)));
      const comparison: RunComparison = await ask((api) => api.runs.compare.query({ runs: found, steps }));
      return { ...comparison, runs: comparison.runs.map((run, at) => ({ ...run, path: found[at] as string })) };
    },
  };
}

/**
 * New events of a run and how it stands, up to now or with `follow` until it ends. A connection that was lost in between loses none.
 * @throws UserError why the run was not started when its turn came
 */
export async function* newsOf(
  { listen }: Connection,
  run: string,
  { afterSeq, follow }: { afterSeq: number; follow: boolean },
): AsyncGenerator<RunNews, void> {
  const subscribed = listen<{ data: RunNews }>((api, listener) =>
    api.runs.events.subscribe({ run, after: afterSeq }, listener as Listener<unknown>),
  );
  let seen = afterSeq;
  for await (const { data } of subscribed) {
    yield data;
    const { summary, events } = data;
    seen = events.at(-1)?.seq ?? seen;
    if (summary.seq > seen) continue;
    if (summary.refusal) throw new UserError(summary.refusal);
    if (!follow || ended.has(summary.state)) return;
  }
}

/** Files are named as they lie in the folder that the agent serves, as far as they do. */
function batchesThere({ ask, listen }: Connection, run: string): OpenedBatches {
  return {
    async batch(request) {
      const { rows, ...batch } = await ask((api) => api.runs.batch.query({ run, ...request }));
      return { ...batch, rows: rows.map(({ key, ...row }) => ({ ...row, file: key ?? row.file })) };
    },
    row: (request) => ask((api) => api.runs.batchRow.query({ run, ...request })),
    async *measure(request) {
      const told = listen<MeasuringProgress | MeasuredStep>((api, listener) =>
        api.runs.measureBatch.subscribe({ run, ...request }, listener),
      );
      for await (const news of told) {
        if (!('phase' in news)) return news;
        yield news;
      }
      throw new Error('the measuring ended without a result');
    },
    close: async () => undefined,
  };
}

function summaryOf(run: ListedRun): RunSummary {
  return runSummarySchema.parse({ ...run, path: run.key, pid: null });
}
