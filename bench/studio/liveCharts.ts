/** What a live update of a run's charts takes of the main thread. */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import type { Browser, Page } from 'playwright-core';
import { type BenchAgent, percentiles } from '../agent.ts';
import { BenchPage } from './benchPage.ts';

/** Before the page is opened: more than buckets are sent. */
const stepsBefore = 20_000;
/** As a fast run has between two of the five messages that a client gets a second. */
const stepsAnUpdate = 20;
const updates = 200;
const warmUp = 20;
const charts = 6;

export async function measureLiveCharts(browser: Browser, agent: BenchAgent) {
  const text = 'base_model: model\ndatasets:\n  - path: rows.jsonl\n';
  const root = join(agent.workspace, 'live', 'runs');
  const run = await RunDirectory.create({ root, name: 'live', recipeText: text, resolvedText: text });
  try {
    run.recordStart({ totalSteps: 1_000_000, fromStep: 0 });
    for (let step = 1; step <= stepsBefore; step++) record(run, step);
    const opened = await BenchPage.open(browser, agent);
    const { page } = opened;
    await page.goto(`${agent.url}/run?id=${encodeURIComponent(`live/runs/${run.id}`)}`);
    await page.getByRole('img', { name: /^Memory/ }).waitFor();
    const shown = await page.locator('.uplot').count();
    if (shown !== charts) throw new Error(`the page has ${shown} charts, not ${charts}`);
    const milliseconds: number[] = [];
    const idle: number[] = [];
    let step = stepsBefore;
    for (let update = 0; update < warmUp + updates; update++) {
      const before = await opened.mainThreadMilliseconds();
      await wait(250);
      const quiet = await opened.mainThreadMilliseconds();
      for (let more = 0; more < stepsAnUpdate; more++) record(run, ++step);
      while (!(await stepShown(page)).startsWith(`${step.toLocaleString('en-US')}/`)) await wait(50);
      await wait(250); // until it is painted
      const after = await opened.mainThreadMilliseconds();
      if (update < warmUp) continue;
      idle.push(quiet - before);
      milliseconds.push(after - quiet);
    }
    await opened.close();
    return {
      what: `${updates} updates of ${stepsAnUpdate} steps each to ${charts} synced charts of a run of ${stepsBefore} steps and more: all that the main thread does from the record of the steps to a quarter of a second after they are shown`,
      updateMilliseconds: percentiles(milliseconds),
      /** Of a quarter of a second in which nothing comes: the page's clock, and the measuring. */
      idleMilliseconds: percentiles(idle),
    };
  } finally {
    await run.close();
  }
}

/** Asked without Playwright's own waiting, which would work on the main thread meanwhile. */
function stepShown(page: Page): Promise<string> {
  return page.evaluate<string>("(document.querySelector('dl dd')?.textContent ?? '').replaceAll(' ', '')");
}

function record(run: RunDirectory, step: number): void {
  const noise = ((step * 2654435761) % 1000) / 1000;
  run.record({
    type: 'step',
    step,
    epoch: step / 1e6,
    loss: 2 * Math.exp(-step / 10_000) + 0.3 * noise,
    gradNorm: 0.5 + noise,
    learningRate: 2e-4 * (1 - step / 1e6),
    tokens: 2048,
    targetTokens: 900,
    tokensPerSecond: 20_000 + 1000 * noise,
    milliseconds: 95 + 10 * noise,
    memory: 2_000_000_000 + 4096 * (step % 1000),
  });
}
