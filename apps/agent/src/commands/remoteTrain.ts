/** Runs that another agent trains: they wait there for their device, and go on whether or not somebody looks. */
import type { Priority } from '@anneal/core/protocol/priorities';
import type { ListedRun } from '@anneal/core/protocol/studio';
import { exitCodeOfLaunch, exitCodes } from '../exitCodes.ts';
import { recipeThere, runThere } from '../remote/names.ts';
import { newsOf } from '../remote/runs.ts';
import { print, printHint, printJson, remark } from '../terminal/print.ts';
import { showRunProgress } from '../terminal/runProgress.ts';
import { connected } from './remoteConnect.ts';

interface Options {
  set?: readonly string[];
  name?: string;
  priority: Priority;
  queue?: boolean;
  detach?: boolean;
  json?: boolean;
}

export async function train(recipe: string, options: Options): Promise<void> {
  const { connection } = connected();
  const { set, name, priority } = options;
  const wanted = { recipe: await recipeThere(connection, recipe), set: set && [...set], name, priority };
  const { run } = await connection.ask((api) => api.recipes.start.mutate(wanted));
  await watch(run, 0, options);
}

export async function resume(name: string, options: Options): Promise<void> {
  const { connection } = connected();
  const { key: run, seq } = await runThere(connection, name);
  const { set, priority } = options;
  await connection.ask((api) => api.runs.resume.mutate({ run, set: set && [...set], priority }));
  await watch(run, seq, options);
}

/** With `--queue` or `--detach` only says where it stands, else shows it to its end. Ctrl-C ends the looking, not the run. */
async function watch(run: string, afterSeq: number, { queue, detach, json = false }: Options): Promise<void> {
  const { connection } = connected();
  const { queued } = await connection.ask((api) => api.runs.get.query({ run }));
  const place = queued && { device: queued.device, place: queued.place, of: queued.of, priority: queued.priority };
  if (queue || detach) {
    if (json) return printJson({ run, path: run, ...place });
    print(place ? `${run} waits for ${place.device}, at place ${place.place} of ${place.of}` : `${run} begins`);
    return printHint(`  follow it: anneal runs logs ${run} --follow`);
  }
  const leave = () => {
    remark(`${run} goes on there: \`anneal runs stop ${run}\` ends it`);
    process.exit(exitCodes.done);
  };
  process.prependOnceListener('SIGINT', leave);
  if (place && !json) remark(`${run} waits for ${place.device}, at place ${place.place} of ${place.of}`);
  const progress = showRunProgress({ json });
  try {
    let last: ListedRun | undefined;
    let hasStarted = false;
    for await (const { events, summary } of newsOf(connection, run, { afterSeq, follow: true })) {
      events.forEach(progress.show);
      hasStarted ||= events.some(({ type }) => type === 'started');
      last = summary;
    }
    process.exitCode = exitCodeOf(last, hasStarted);
  } finally {
    progress.end();
    process.off('SIGINT', leave);
  }
}

function exitCodeOf(run: ListedRun | undefined, hasStarted: boolean): number {
  if (run?.state === 'finished') return exitCodes.done;
  return run?.state === 'stopped' ? exitCodes.stopped : exitCodeOfLaunch(run?.error, hasStarted);
}
