/** What takes long: followed with progress, and ended by a cancel. */
import type { ExportRequest } from '@anneal/core/protocol/exports';
import type { JobKinds } from '@anneal/core/protocol/jobs';
import type { Priority } from '@anneal/core/protocol/priorities';
import type { ListedRun } from '@anneal/core/protocol/studio';
import { followJob } from '../remote/jobs.ts';
import { recipeThere, runThere } from '../remote/names.ts';
import { newsOf } from '../remote/runs.ts';
import { finish } from '../service/finish.ts';
import type { Surroundings } from './tool.ts';

interface Launch {
  set: readonly string[];
  priority: Priority;
  wait: boolean;
}

export async function train(
  surroundings: Surroundings,
  { recipe, set, name, priority, wait }: Launch & { recipe: string; name?: string | undefined },
): Promise<ListedRun> {
  const { connection } = surroundings;
  const wanted = { recipe: await recipeThere(connection, recipe), set: [...set], name, priority };
  const { run } = await connection.ask((api) => api.recipes.start.mutate(wanted));
  return wait ? followed(surroundings, run, 0) : standing(surroundings, run);
}

export async function resume(
  surroundings: Surroundings,
  { run: name, set, priority, wait }: Launch & { run: string },
): Promise<ListedRun> {
  const { connection } = surroundings;
  const { key: run, seq } = await runThere(connection, name);
  await connection.ask((api) => api.runs.resume.mutate({ run, set: [...set], priority }));
  return wait ? followed(surroundings, run, seq) : standing(surroundings, run);
}

export async function exportRun(
  { connection, signal, report }: Surroundings,
  { source, checkpoint, ...forms }: ExportRequest,
): Promise<JobKinds['export']['result']> {
  const { key: run } = await runThere(connection, source);
  const order = { ...forms, gguf: [...(forms.gguf ?? [])], run, checkpoint };
  const { job } = await connection.ask((api) => api.exports.start.mutate(order));
  return finish(followJob<'export'>(connection, job, signal), ({ form, done, total }) => report(done, total, form));
}

function standing({ connection }: Surroundings, run: string): Promise<ListedRun> {
  return connection.ask((api): Promise<ListedRun> => api.runs.get.query({ run }) as Promise<ListedRun>);
}

/** To its end. A cancel takes the run out of the queue, or stops it with a checkpoint. */
async function followed(surroundings: Surroundings, run: string, afterSeq: number): Promise<ListedRun> {
  const { connection, signal, report } = surroundings;
  const stop = async () => {
    const { state } = await standing(surroundings, run);
    // One that begins just now is out of the queue already.
    const left = state === 'queued' && (await connection.ask((api) => api.queue.remove.mutate({ run })).then(yes, no));
    if (!left) await connection.ask((api) => api.runs.stop.mutate({ run }));
  };
  const cancel = () => void stop().catch(() => undefined); // it has just ended
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    for await (const { summary } of newsOf(connection, run, { afterSeq, follow: true })) {
      report(summary.step, summary.totalSteps ?? undefined, `${summary.state}, loss ${summary.loss ?? '-'}`);
    }
    return standing(surroundings, run);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

const yes = (): boolean => true;
const no = (): boolean => false;
