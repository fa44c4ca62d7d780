import { closeSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '@anneal/core/protocol/events';
import { type FollowRunRequest, followRunRequest, type RunRequest, runRequest } from '@anneal/core/protocol/runs';
import { linesOfFile, readEvents } from '@anneal/core/trainer/eventReader';
import { followEvents } from '@anneal/core/trainer/followEvents';
import { assertIsRun, openRunFile } from '@anneal/core/trainer/runFiles';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { pathOfRun } from './find.ts';

/** The events of a run after a number, and with `follow` (by default) those that are still to come, until the run ends. */
export async function* followRun(context: Context, request: FollowRunRequest): AsyncGenerator<RunEvent, void> {
  const { run, afterSeq, follow } = parseRequest(followRunRequest, request);
  const path = await pathOfRun(context, run);
  assertIsRun(path);
  if (follow) yield* followEvents(path, { afterSeq });
  else yield* readEvents(join(path, 'events.jsonl'), { afterSeq });
}

/** What the process of the run has written, line by line. */
export async function* readRunOutput(context: Context, request: RunRequest): AsyncGenerator<string, void> {
  const path = await pathOfRun(context, parseRequest(runRequest, request).run);
  assertIsRun(path);
  const file = openRunFile(join(path, 'run.log'));
  try {
    for (const { text = '(a line too long to show)' } of linesOfFile(file, { from: 0, unfinished: true })) yield text;
  } finally {
    closeSync(file);
  }
}
