import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { type RunDetails, type RunRequest, runRequest } from '@anneal/core/protocol/runs';
import { bestOf, surveyCheckpoints } from '@anneal/core/trainer/checkpointStore';
import { readPinned } from '@anneal/core/trainer/runHashes';
import { readRun } from '@anneal/core/trainer/runReader';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { pathOfRun } from './find.ts';
import { summaryOf } from './list.ts';

/** Everything about one run; of one that is damaged in a place, the rest. */
export async function showRun(context: Context, request: RunRequest): Promise<RunDetails> {
  const run = readRun(await pathOfRun(context, parseRequest(runRequest, request).run));
  const found = await surveyCheckpoints(join(run.path, 'checkpoints'));
  const checkpoints = found.filter((checkpoint) => !('error' in checkpoint));
  const damage = found.flatMap((checkpoint) => ('error' in checkpoint ? [checkpoint.error] : []));
  const lock = tolerant(() => readPinned(run.path) ?? null, damage);
  const bestCheckpoint = bestOf(checkpoints)?.path ?? null;
  return { ...summaryOf(run), checkpoints, bestCheckpoint, lock, damaged: damage.map((error) => error.toJSON()) };
}

function tolerant<T>(read: () => T, damage: UserError[]): T | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    damage.push(error);
    return null;
  }
}
