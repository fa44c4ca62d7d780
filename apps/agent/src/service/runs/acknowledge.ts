import { UserError } from '@anneal/core/errors';
import type { AlertName } from '@anneal/core/protocol/alerts';
import { openAlerts } from '@anneal/core/protocol/openAlerts';
import { type AcknowledgeRequest, acknowledgeRequest, type RunSummary } from '@anneal/core/protocol/runs';
import { readRun } from '@anneal/core/trainer/runReader';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { pathOfRun } from './find.ts';
import { summaryOf } from './list.ts';
import { remark } from './remark.ts';

/** Marks alerts of a run as seen, all that are open or those that are named. One that comes later is open again. @throws UserError `alert_not_found` */
export async function acknowledgeAlerts(
  context: Context,
  request: AcknowledgeRequest,
  by: string,
): Promise<RunSummary> {
  const { run, alerts } = parseRequest(acknowledgeRequest, request);
  const path = await pathOfRun(context, run);
  const raised = summaryOf(readRun(path)).alerts;
  const isNamed = (alert: AlertName) =>
    alerts?.some(({ code, seq }) => code === alert.code && seq === alert.seq) ?? true;
  if (alerts && raised.filter(isNamed).length < alerts.length) throw notThere(path);
  const wanted = openAlerts(raised).filter(isNamed);
  if (wanted.length === 0) return summaryOf(readRun(path));
  const time = new Date().toISOString();
  const names = wanted.map(({ code, seq }) => ({ code, seq, by, time }));
  return remark(path, (remarks) => ({ ...remarks, acknowledged: [...remarks.acknowledged, ...names] }));
}

function notThere(path: string): UserError {
  return new UserError({
    what: 'this run has no such alert',
    where: path,
    next: 'look at it again: what it warned of may be over, or repeated by a later launch',
    code: 'alert_not_found',
  });
}
