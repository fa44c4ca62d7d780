/** Exporting and comparing, as jobs. Each runs apart, so that a cancel also ends what computes. */
import { dirname, join } from 'node:path';
import type { ExportRequest, ListedExport } from '@anneal/core/protocol/exports';
import type { PushRequest } from '@anneal/core/protocol/push';
import { runApart } from '../../runner/runApart.ts';
import type { Agent } from '../router/trpc.ts';
import { exportsOf } from './find.ts';

interface Run {
  key: string;
  path: string;
}

type Wanted = Omit<ExportRequest, 'source' | 'imatrixFile'> & { check: boolean };

/** Returns the id of the job. @throws UserError `job_running` */
export function startExport(agent: Agent, run: Run, { check, ...wanted }: Wanted): string {
  const order = { kind: 'export', subject: run.key, target: wanted.to ?? run.path } as const;
  const { id } = agent.jobs.start(order, async function* (signal) {
    const forms = yield* runApart('export', {}, { ...wanted, source: run.path }, signal);
    if (check) {
      const written = new Set(forms.flatMap(({ files }) => files.map(({ path }) => path)));
      const isNew = ({ folder, files }: ListedExport) => files.some(({ path }) => written.has(join(folder, path)));
      const found = (await exportsOf(agent.workspace, run)).filter((entry) => entry.form !== 'ollama' && isNew(entry));
      startCheck(agent, run, found);
    }
    return forms;
  });
  return id;
}

/** Returns the id of the job. @throws UserError `job_running` */
export function startCheck(agent: Agent, run: Run, exported: readonly ListedExport[]): string {
  const order = { kind: 'parity', subject: run.key, target: run.path } as const;
  const bySteps = Map.groupBy(exported, (entry) => entry.run?.step);
  const { id } = agent.jobs.start(order, async function* (signal) {
    const compared = [];
    for (const [step, entries] of bySteps) {
      const paths = entries.map(({ folder, path }) => join(folder, path));
      const request = { source: run.path, checkpoint: String(step), exported: paths };
      compared.push(...(yield* runApart('checkParity', {}, request, signal)));
    }
    return compared;
  });
  return id;
}

/** Returns the id of the job. @param exported by default the only form of the run @throws UserError `job_running`, `secrets_damaged` */
export function startPush(
  agent: Agent,
  run: Run,
  exported: ListedExport | undefined,
  wanted: Omit<PushRequest, 'source'>,
): string {
  const source = exported ? togetherWith(exported) : run.path;
  const context = { runsFolder: dirname(run.path), secrets: agent.secrets.open() };
  const order = { kind: 'push', subject: run.key, target: wanted.to } as const;
  return agent.jobs.start(order, (signal) => runApart('push', context, { ...wanted, source }, signal)).id;
}

/** GGUF files go together, with the Modelfile beside them. */
function togetherWith({ form, folder, path }: ListedExport): string {
  const file = join(folder, path);
  return form === 'lora' || form === 'merged' ? file : dirname(file);
}
