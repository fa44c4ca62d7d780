import { basename } from 'node:path';
import { diagnose } from '@anneal/core/diagnosis/diagnose';
import { gather } from '@anneal/core/diagnosis/gather';
import type { Diagnosing, Diagnosis } from '@anneal/core/protocol/diagnoses';
import { type RunRequest, runRequest } from '@anneal/core/protocol/runs';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';
import { pathOfRun } from './find.ts';

/** What went wrong in a run, also in one that goes on. @throws UserError `run_not_found`, and for what of it cannot be read */
export function diagnoseRun(context: Context, request: RunRequest): AsyncGenerator<Diagnosing, Diagnosis> {
  return reporting(async (report, signal) => {
    const path = await pathOfRun(context, parseRequest(runRequest, request).run);
    const { evidence, unchecked } = await gather(path, { report, signal });
    return { id: basename(path), path, findings: diagnose(evidence), unchecked };
  }, context.signal);
}
