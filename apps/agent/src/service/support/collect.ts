/** What somebody who helps wants to see: one file that can be read before it is handed on. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { arch, platform, release } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { RunEvent } from '@anneal/core/protocol/events';
import { type SupportFile, type SupportRequest, supportRequest } from '@anneal/core/protocol/host';
import { openRunFile, readRunFile } from '@anneal/core/trainer/runFiles';
import { readRun } from '@anneal/core/trainer/runReader';
import envPaths from 'env-paths';
import manifest from '../../../package.json' with { type: 'json' };
import type { Context } from '../context.ts';
import { finish } from '../finish.ts';
import { hostDevices } from '../host/devices.ts';
import { examineHost } from '../host/examineHost.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';
import { pathOfRun } from '../runs/find.ts';
import { listRuns } from '../runs/list.ts';
import { knownHere, redactor } from './redact.ts';

const newestEvents = 200;
const logBytes = 64 << 10;
const newestErrors = 3;

/**
 * Versions, devices, what the doctor finds, the newest errors, and of a run its recipe, the end of its events and of its output. Secrets
 * are taken out, and so are rows of data: questions and answers of samples are only counted.
 * @throws UserError `run_not_found` where one is named that is not there
 */
export function collectSupport(context: Context, request: SupportRequest): AsyncGenerator<never, SupportFile> {
  return reporting(async () => {
    const { folder, run } = parseRequest(supportRequest, request);
    const redact = redactor(knownHere());
    const file: SupportFile = {
      version: 1,
      made: new Date().toISOString(),
      versions: {
        anneal: manifest.version,
        node: process.version,
        system: `${platform()} ${release()} ${arch()}`,
      },
      environment: Object.keys(process.env)
        .filter((name) => /^(ANNEAL|CUDA|NVIDIA|HF|OMP|XDG)_/.test(name))
        .sort()
        .map((name) => `${name}=${process.env[name]}`),
      devices: [...hostDevices()],
      findings: await finish(examineHost(context, { folder })),
      errors: newestErrorFiles(envPaths('anneal', { suffix: '' }).log),
      run: await runOf(context, run),
    };
    return redacted(file, redact) as SupportFile;
  });
}

async function runOf(context: Context, name: string | undefined): Promise<SupportFile['run']> {
  if (name === undefined && (await listRuns(context)).length === 0) return null;
  const path = await pathOfRun(context, name ?? 'latest');
  const newest: RunEvent[] = [];
  let events = 0;
  const { status, state } = readRun(path, (event) => {
    events++;
    newest.push(withoutTexts(event));
    if (newest.length > newestEvents) newest.shift();
  });
  return {
    status: { ...status, state },
    recipe: readRunFile(join(path, 'recipe.yaml')),
    resolved: readRunFile(join(path, 'recipe.resolved.yaml')),
    events: newest,
    eventsBefore: events - newest.length,
    output: endOf(() => openRunFile(join(path, 'run.log'))),
  };
}

/** Samples hold what was trained on, or nearly. */
function withoutTexts(event: RunEvent): RunEvent {
  if (event.type !== 'sample') return event;
  const { prompt, text } = event;
  return { ...event, prompt: `(${prompt.length} characters)`, text: `(${text.length} characters)` };
}

function newestErrorFiles(folder: string): string[] {
  return namesIn(folder)
    .filter((name) => /^error-.*\.log$/.test(name))
    .sort()
    .slice(-newestErrors)
    .map((name) => `${name}\n${endOf(() => openSync(join(folder, name), 'r'))}`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // nothing has gone wrong yet
  }
}

function endOf(open: () => number): string {
  let file: number;
  try {
    file = open();
  } catch (error) {
    if (error instanceof UserError || (error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, logBytes));
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, size - bytes.length));
  } finally {
    closeSync(file);
  }
}

/** Every text of a value, names of keys aside. */
function redacted(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((one) => redacted(one, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, redacted(one, redact)]));
}
