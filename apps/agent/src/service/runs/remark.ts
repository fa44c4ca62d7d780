/** What people say of a run. */
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { mostTags } from '@anneal/core/protocol/remarkForms';
import {
  type NoteRunRequest,
  noteRunRequest,
  type RunSummary,
  type TagRunRequest,
  tagRunRequest,
} from '@anneal/core/protocol/runs';
import { type Remarks, readRemarks, remarksName, writeRemarks } from '@anneal/core/trainer/remarks';
import { readRun } from '@anneal/core/trainer/runReader';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { underLock } from '../underLock.ts';
import { pathOfRun } from './find.ts';
import { summaryOf } from './list.ts';

/** Replaces the note of a run; without a text there is none any more. */
export async function noteRun(context: Context, request: NoteRunRequest, by: string): Promise<RunSummary> {
  const { run, text } = parseRequest(noteRunRequest, request);
  const note = text === '' ? null : { text, by, time: new Date().toISOString() };
  return remark(await pathOfRun(context, run), (remarks) => ({ ...remarks, note }));
}

/** Adds tags to a run and takes others away; each is there once. @throws UserError `too_many_tags` */
export async function tagRun(context: Context, request: TagRunRequest): Promise<RunSummary> {
  const { run, add, remove } = parseRequest(tagRunRequest, request);
  const path = await pathOfRun(context, run);
  return remark(path, (remarks) => {
    const tags = [...new Set([...remarks.tags, ...add])].filter((tag) => !remove.includes(tag)).sort();
    if (tags.length > mostTags) throw tooMany(path, tags.length);
    return { ...remarks, tags };
  });
}

/** Changes what is said of the run, while nobody else does. @throws UserError `remarks_damaged`, `file_busy` */
export async function remark(path: string, change: (remarks: Remarks) => Remarks): Promise<RunSummary> {
  await underLock(join(path, remarksName), () => writeRemarks(path, change(readRemarks(path))));
  return summaryOf(readRun(path));
}

function tooMany(path: string, count: number): UserError {
  return new UserError({
    what: `a run has at most ${mostTags} tags, and this one would have ${count}`,
    where: path,
    next: 'take some away: `anneal runs tag RUN --remove TAG`',
    code: 'too_many_tags',
  });
}
