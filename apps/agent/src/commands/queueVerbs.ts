/** What is done with a queue. */
import { basename } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { placeOf } from '../service/queue/order.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';
import { formatTime } from '../units.ts';
import type { AgentFolderOptions } from './agentFolder.ts';
import { type OpenedQueue, useCase, type WaitingRun } from './useCases.ts';

export async function ls(options: AgentFolderOptions): Promise<void> {
  const queue = await queueOf(options);
  const { waiting, concurrency } = await queue.read();
  if (options.json) return printJson({ waiting, concurrency });
  if (waiting.length === 0) print(`no run waits in ${queue.where}`);
  else print(tableOf(waiting));
  for (const [device, runs] of Object.entries(concurrency))
    if (runs !== 1) remark(`${device} trains ${runs} at a time`);
  if (!queue.isRunning) remark(`no agent runs: they begin when one serves ${queue.where} again`);
}

export async function move(name: string, place: number, options: AgentFolderOptions): Promise<void> {
  const queue = await queueOf(options);
  const { run } = waitingRun((await queue.read()).waiting, name);
  const { waiting } = await queue.move(run, place);
  tell(placeOf(waiting, run), `${basename(run)} is at place ${placeOf(waiting, run)?.place}`, options);
}

export async function assign(name: string, device: string, options: AgentFolderOptions): Promise<void> {
  const queue = await queueOf(options);
  const { run } = waitingRun((await queue.read()).waiting, name);
  const { waiting } = await queue.assign(run, device);
  const place = placeOf(waiting, run);
  // It may have begun at once.
  const text = place ? `waits for ${place.device}, at place ${place.place} of ${place.of}` : `begins on ${device}`;
  tell(place ?? { run }, `${basename(run)} ${text}`, options);
}

export async function remove(name: string, options: AgentFolderOptions): Promise<void> {
  const queue = await queueOf(options);
  const { run } = waitingRun((await queue.read()).waiting, name);
  await queue.remove(run);
  tell({ run }, `${basename(run)} is out of the queue`, options);
}

export async function set(device: string, runs: number, options: AgentFolderOptions): Promise<void> {
  await (await queueOf(options)).setConcurrency(device, runs);
  const count = runs === 1 ? 'one run' : `${runs} runs`;
  tell({ device, runs }, runs === 0 ? `${device} begins no run` : `${device} trains ${count} at a time`, options);
}

async function queueOf({ folder }: AgentFolderOptions): Promise<OpenedQueue> {
  return (await useCase('openQueue'))(folder);
}

function tell(result: unknown, text: string, { json }: AgentFolderOptions): void {
  if (json) printJson(result);
  else print(text);
}

function waitingRun(waiting: readonly WaitingRun[], name: string): WaitingRun {
  const exact = waiting.filter(({ run }) => run === name || basename(run) === name);
  const alike = waiting.filter(({ run }) => basename(run).startsWith(name) || basename(run).endsWith(name));
  const found = exact.length > 0 ? exact : alike;
  if (found.length === 1) return found[0] as WaitingRun;
  throw new UserError({
    what: found.length > 1 ? `${found.length} runs that wait match "${name}"` : `no run that waits matches "${name}"`,
    next: 'see what waits with `anneal queue ls`',
    code: found.length > 1 ? 'run_ambiguous' : 'run_not_queued',
  });
}

function tableOf(waiting: readonly WaitingRun[]): string {
  return formatTable(
    [
      { title: 'DEVICE' },
      { title: 'PLACE', align: 'right' },
      { title: 'RUN' },
      { title: 'PRIORITY' },
      { title: 'SINCE' },
    ],
    waiting
      .map((entry) => ({ entry, place: placeOf(waiting, entry.run)?.place ?? 0 }))
      .sort((a, b) =>
        a.entry.device === b.entry.device ? a.place - b.place : a.entry.device < b.entry.device ? -1 : 1,
      )
      .map(({ entry: { device, run, priority, since }, place }) => [
        device,
        String(place),
        basename(run),
        priority,
        formatTime(since),
      ]),
  );
}
