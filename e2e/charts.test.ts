/** What the charts of a run show of answers that are preferred, of routers, and of a single step. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeCapitalsTask, writeTinyModel } from '../packages/core/test/fixtures.ts';
import { TestAgent } from './agent.ts';
import { coloredPixels, expectAccessible } from './page.ts';
import { PairedBrowser } from './pairedBrowser.ts';

const agent = new TestAgent();
let studio: PairedBrowser;

beforeAll(async () => {
  await agent.start();
  studio = await PairedBrowser.open(agent);
});

afterAll(async () => {
  await studio?.browser.close();
  await agent.end();
  agent.remove();
});

/** Trains a mixture of experts on a few rows. @returns the page of the run */
async function trained(project: string, recipe: object): Promise<Page> {
  const folder = join(agent.workspace, project);
  mkdirSync(folder);
  const base_model = writeTinyModel(folder, 'qwen3-moe');
  const usual = { base_model, adapter: 'lora', lora_r: 4, sequence_len: 64, micro_batch_size: 2, bf16: false };
  writeFileSync(join(folder, 'recipe.yaml'), JSON.stringify({ ...usual, output_dir: 'runs', ...recipe }));
  agent.run('train', `${project}/recipe.yaml`);
  const page = await studio.goTo(`/run?id=${project}/runs/${readdirSync(join(folder, 'runs'))[0]}`);
  await page.getByRole('img', { name: /^Loss\./ }).waitFor();
  return page;
}

const chart = (page: Page, title: string) =>
  page.locator('figure').filter({ has: page.getByText(title, { exact: true }) });

it('names the two lines of pairs', async () => {
  const rows = ['ant', 'bee', 'cat', 'dog'].map((prompt) => ({
    prompt,
    chosen: prompt.toUpperCase(),
    rejected: prompt,
  }));
  const path = join(agent.workspace, 'pairs.jsonl');
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const page = await trained('pairs', {
    rl: 'dpo',
    datasets: [{ path }],
    val_set_size: 0,
    max_steps: 4,
    logging_steps: 1,
  });
  await expect.poll(() => coloredPixels(chart(page, 'Reward margin'))).toBeGreaterThan(20);
  for (const title of ['Rewards of chosen and rejected answers', 'Log-probability of chosen and rejected answers']) {
    const figure = chart(page, title);
    await figure.getByText(/^chosen −?[\d.]+/).waitFor();
    await figure.getByText(/^rejected −?[\d.]+/).waitFor();
    await expect.poll(() => coloredPixels(figure)).toBeGreaterThan(20);
  }
  await expectAccessible(page);
  await page.close();
});

it('has the balance of routers, and points where there is a single step', async () => {
  const folder = join(agent.workspace, 'rows');
  mkdirSync(folder);
  const datasets = [{ path: writeCapitalsTask(folder) }];
  const balance = { router_aux_loss_coef: 0.01, datasets, val_set_size: 4, max_steps: 2, logging_steps: 2 };
  const page = await trained('balance', balance);
  for (const title of ['Balance loss of the routers', 'Learning rate', 'Tokens a second'])
    await expect.poll(() => coloredPixels(chart(page, title))).toBeGreaterThan(4);
  await expectAccessible(page);
  await page.close();
});

it('said nothing in the console', () => {
  expect(studio.said.flat()).toEqual([]);
});
