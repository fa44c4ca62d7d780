/** Alerts of a run: found by whoever looks, acknowledged once for everybody, and kept with the run. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openAlerts } from '@anneal/core/protocol/openAlerts';
import { expect, test, vi } from 'vitest';
import { AgentState } from '../src/daemon/agentState.ts';
import { ApiTokens } from '../src/daemon/auth/apiTokens.ts';
import { annealIn } from './helpers/anneal.ts';
import { client, makePlace, type Place, paired, recordStep, start, writeRun } from './helpers/daemon.ts';

/** A run that has ended, whose loss jumped at step 31 and was no number at step 41. */
async function spikedRun(place: Place) {
  const run = await writeRun(place);
  run.recordStart({ totalSteps: 50, fromStep: 0 });
  for (let step = 1; step <= 50; step++)
    recordStep(run, step, step === 31 ? 20 : step === 41 ? null : 2 + (step % 3) / 10);
  run.record({ type: 'finished', step: 50, loss: 2 });
  await run.close();
  return run;
}

const spike = { code: 'loss_spike', step: 31, lasts: false, what: expect.stringContaining('20') };
const notFinite = { code: 'not_finite', step: 41, lasts: false };

test('the studio is told of them, and who has acknowledged one is kept with the run and in the audit', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const run = await spikedRun(place);
  const key = `project/runs/${run.id}`;
  const cookie = await paired(daemon);
  const { api } = client(daemon, cookie);
  const { alerts } = await api.runs.get.query({ run: key });
  expect(alerts).toMatchObject([spike, notFinite]);
  const metrics = async () => (await fetch(`${daemon.url}/metrics`, { headers: { cookie } })).text();
  expect(await metrics()).toContain(`anneal_run_alerts{run="${key}",alert="loss_spike"} 1\n`);

  const listed: number[] = [];
  const list = api.runs.list.subscribe(undefined, {
    onData: ({ runs }) => listed.push(...runs.map((one) => openAlerts(one.alerts).length)),
  });
  await vi.waitFor(() => expect(listed).toEqual([2]), 10_000);
  await api.runs.acknowledge.mutate({ run: key, alerts: [{ code: 'loss_spike', seq: alerts[0]?.seq ?? 0 }] });
  await vi.waitFor(() => expect(listed.at(-1)).toBe(1), 10_000);
  list.unsubscribe();
  const me = await api.people.me.query();
  expect((await api.runs.get.query({ run: key })).alerts).toMatchObject([
    { ...spike, acknowledged: { by: me.name } },
    { ...notFinite, acknowledged: null },
  ]);
  expect(await metrics()).not.toContain('loss_spike');
  const { entries } = await api.audit.page.query({});
  expect(entries[0]).toMatchObject({ action: 'runs.acknowledge', name: me.name, outcome: 'done' });
  const wrong = api.runs.acknowledge.mutate({ run: key, alerts: [{ code: 'stalled', seq: 1 }] });
  await expect(wrong).rejects.toMatchObject({ data: { error: { code: 'alert_not_found' } } });

  await daemon.close();
  const again = await start(place);
  const later = client(again, await paired(again)).api;
  const { alerts: found } = await later.runs.get.query({ run: key });
  expect(found.map(({ acknowledged }) => acknowledged?.by)).toEqual([me.name, undefined]);
});

test('the command line says them and acknowledges them, here and by remote; a viewer cannot', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const run = await spikedRun(place);
  const runs = (...args: string[]) => annealIn(join(place.workspace, 'project'))('runs', ...args);
  const list = await runs('ls');
  expect(list.stdout).toMatch(/ALERTS +TAGS\n.* loss_spike, not_finite *\n/);
  const shown = await runs('show');
  expect(shown.stdout).toMatch(/^alert +the loss jumped to 20 at step 31; it had been 2.1\n.*npx anneal runs batch/m);

  const remote = async (role: 'viewer' | 'operator') => {
    const { token } = await new ApiTokens(new AgentState(place.workspace).folder).create('laptop', role);
    return annealIn(place.workspace, { ANNEAL_HOST: daemon.url, ANNEAL_TOKEN: token });
  };
  const refused = await (await remote('viewer'))('remote', 'runs', 'acknowledge', run.id);
  expect(refused.stderr).toContain('this needs the role operator');
  const done = await (await remote('operator'))('remote', 'runs', 'acknowledge', run.id, '--json');
  expect(JSON.parse(done.stdout).alerts).toMatchObject([spike, notFinite].map((one) => ({ ...one, acknowledged: {} })));
  expect((await runs('ls')).stdout).not.toContain('loss_spike');
  expect((await runs('acknowledge')).stdout).toMatch(/^seen +the loss jumped .*\(token laptop, /);
});

test('a file of remarks that is damaged is said, and hides no other run', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const run = await spikedRun(place);
  const other = await writeRun(place, 'other');
  writeFileSync(join(run.path, 'remarks.json'), '{"version": 1, "acknowledged": [');
  const { api } = client(daemon, await paired(daemon));
  const told = await api.runs.get.query({ run: `project/runs/${run.id}` });
  expect(told).toMatchObject({
    state: 'damaged',
    error: { code: 'remarks_damaged', where: join(run.path, 'remarks.json') },
  });
  expect(await api.runs.get.query({ run: `project/runs/${other.id}` })).toMatchObject({ error: null });
});
