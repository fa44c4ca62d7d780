import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RunEvent } from '@anneal/core/protocol/events';
import {
  type FollowRunRequest,
  type FoundOutput,
  followRunRequest,
  type RunRequest,
  runRequest,
  type SearchOutputRequest,
  searchOutputRequest,
} from '@anneal/core/protocol/runs';
import { linesOfFile, readEvents } from '@anneal/core/trainer/eventReader';
import { followEvents } from '@anneal/core/trainer/followEvents';
import { assertIsRun, openRunFile } from '@anneal/core/trainer/runFiles';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { pathOfRun } from './find.ts';

/** Of the lines that have a text. */
const mostFound = 500;
const mostCharacters = 1000;
/** How long a log is read before others have their turn. */
const sliceMilliseconds = 20;

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

/** Looks for a text in all of it, however long it is. @throws the reason of the signal */
export async function searchRunOutput(context: Context, request: SearchOutputRequest): Promise<FoundOutput> {
  const { run, text: wanted } = parseRequest(searchOutputRequest, request);
  const found: FoundOutput = { count: 0, lines: [] };
  const lower = wanted.toLowerCase();
  let number = 0;
  let sliceEnd = performance.now() + sliceMilliseconds;
  for await (const text of readRunOutput(context, { run })) {
    number++;
    if (text.toLowerCase().includes(lower)) {
      found.count++;
      found.lines.push({ number, text: text.slice(0, mostCharacters) });
      if (found.lines.length > 2 * mostFound) found.lines.splice(0, mostFound);
    }
    if (performance.now() < sliceEnd) continue;
    await nextTurn();
    context.signal?.throwIfAborted();
    sliceEnd = performance.now() + sliceMilliseconds;
  }
  return { count: found.count, lines: found.lines.slice(-mostFound) };
}
