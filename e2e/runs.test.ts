/** Runs as people meet them: seen in two tabs, failed, with a name that is too long, fifty beside each other, left and come back to. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgent } from './agent.ts';
import { coloredPixels, expectAccessible } from './page.ts';
import { PairedBrowser } from './pairedBrowser.ts';

const agent = new TestAgent();
let studio: PairedBrowser;
const folder = join(agent.workspace, 'harbour', 'runs');
const longName = Array.from({ length: 30 }, (_, at) => `long-name-${at}`).join('-');

beforeAll(async () => {
  await agent.start();
  studio = await PairedBrowser.open(agent);
  agent.run('init', 'harbour');
  train('short', 'max_steps=12', 'logging_steps=1', 'val_set_size=0', 'sample_prompts=[]');
  for (let at = 0; at < 49; at++) copyOf('short', at === 0 ? longName : `lower-rate-${at}`);
});

afterAll(async () => {
  await studio?.browser.close();
  await agent.end();
  agent.remove();
});

function train(name: string, ...set: string[]): void {
  const settings = set.flatMap((one) => ['--set', one]);
  agent.run('train', 'harbour/recipe.yaml', '--name', name, ...settings);
}

const idOf = (name: string): string => readdirSync(folder).find((id) => id.endsWith(`-${name}`)) as string;
const keyOf = (name: string): string => `harbour/runs/${idOf(name)}`;

/** As if it had been trained under another name, and with another seed. */
function copyOf(name: string, other: string): void {
  const [from, id] = [join(folder, idOf(name)), `20260101-000000-${other.slice(0, 20)}`];
  mkdirSync(join(folder, id));
  copyFileSync(join(from, 'recipe.yaml'), join(folder, id, 'recipe.yaml'));
  const recipe = readFileSync(join(from, 'recipe.resolved.yaml'), 'utf8');
  writeFileSync(join(folder, id, 'recipe.resolved.yaml'), recipe.replace(/^lora_r: 16$/m, `lora_r: ${other.length}`));
  const events = readFileSync(join(from, 'events.jsonl'), 'utf8').replace(`"name":"${name}"`, `"name":"${other}"`);
  writeFileSync(join(folder, id, 'events.jsonl'), events);
}

/** Nothing is wider than the page. */
const fits = (page: Page) =>
  expect.poll(() => page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);

describe('runs in a browser', () => {
  it('say in two tabs the same, whichever of them saves and stops', async () => {
    agent.run('train', 'harbour/recipe.yaml', '--detach', '--name', 'long', '--set', 'num_epochs=100000');
    const [first, second] = await Promise.all([0, 1].map(() => studio.goTo(`/run?id=${keyOf('long')}`)));
    if (!first || !second) throw new Error('two tabs');
    for (const page of [first, second]) await page.locator('[data-state="running"]').first().waitFor();
    const loss = first.getByRole('img', { name: /^Loss\./ });
    await loss.waitFor();
    // Enough of them that there is something to zoom in on.
    const step = async () => Number.parseInt((await first.locator('dl dd').first().innerText()).replace(',', ''), 10);
    await expect.poll(step, { timeout: 30_000 }).toBeGreaterThan(30);
    await loss.press('+');
    await expect.poll(() => first.url()).toContain('from=');
    expect(second.url()).not.toContain('from=');
    await first.getByRole('button', { name: 'Save now' }).click();
    await second.getByRole('tab', { name: 'Events' }).click();
    await second.getByText('Checkpoint saved on request').waitFor({ timeout: 30_000 });
    await second.getByRole('button', { name: 'Stop', exact: true }).click();
    for (const page of [first, second]) await page.locator('article [data-state="stopped"]').first().waitFor();
    await second.getByText(/^Stopped on request; resumes after step/).waitFor();
    expect(first.url()).toContain('from=');
    await first.close();
    await second.close();
  });

  it('say where they were resumed, and what the line there is', async () => {
    const page = await studio.goTo(`/run?id=${keyOf('long')}`);
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('resumed', { exact: true }).waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'More ways to stop' }).click();
    await page.getByRole('menuitem', { name: /Stop at once/ }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Stop at once' }).click();
    await page.locator('article [data-state="stopped"]').first().waitFor();
    await page.getByText('Loss', { exact: true }).first().hover();
    await page.getByText(/^How far the predictions of the model are/).waitFor();
    await page.close();
  });

  it('say on the page of one that failed what failed, at which step, and what to do', async () => {
    const diverging = ['adapter=null', 'lora_r=null', 'lora_alpha=null', 'lora_target_linear=null', 'learning_rate=10'];
    const loose = ['max_grad_norm=0', 'warmup_ratio=0', 'weight_decay=0.9', 'logging_steps=1', 'num_epochs=8'];
    expect(() => train('diverged', ...diverging, ...loose)).toThrow();
    const page = await studio.goTo(`/run?id=${keyOf('diverged')}&tab=events`);
    const note = page.getByRole('alert').filter({ hasText: 'This run failed' });
    await note.getByText('training has diverged').waitFor();
    await note.getByText('lower learning_rate').waitFor();
    await page.getByRole('list', { name: 'Events' }).getByText('training has diverged').waitFor();
    await page.getByRole('button', { name: /^Step \d+$/ }).click();
    await page.waitForURL(/step=\d+/);
    await expectAccessible(page);
    await page.getByRole('tab', { name: 'Doctor' }).click();
    await page.locator('[data-finding="diverged"]').waitFor();
    await page.evaluate(() => localStorage.setItem('anneal-locale', 'zh-CN'));
    await page.goto(`${agent.url}/run?id=${keyOf('diverged')}&tab=events`);
    // Said in Chinese first; the agent's words with their numbers stand below.
    const failed = page.getByRole('list', { name: '事件' }).getByRole('listitem').first();
    expect(await failed.innerText()).toMatch(/损失不再是有限值[\s\S]*training has diverged/);
    await page.getByRole('tab', { name: '内存' }).click();
    const parts = page.getByRole('tabpanel').locator('dt');
    await parts.filter({ hasText: '激活值' }).waitFor();
    expect((await parts.allInnerTexts()).join('')).not.toMatch(/[a-z]/);
    await expectAccessible(page);
    await page.evaluate(() => localStorage.setItem('anneal-locale', 'en'));
    await page.close();
  });

  it('have names of any length, and tabs in sight, on a phone', async () => {
    const page = await studio.goTo('/');
    await page.setViewportSize({ width: 390, height: 844 });
    await page.locator(`[data-row="harbour/runs/20260101-000000-${longName.slice(0, 20)}"]`).waitFor();
    await fits(page);
    await page.goto(`${agent.url}/run?id=harbour/runs/20260101-000000-${longName.slice(0, 20)}&tab=exports`);
    await page.getByRole('heading', { name: longName }).waitFor();
    await fits(page);
    const [list, tab] = [page.getByRole('tablist'), page.getByRole('tab', { name: 'Export', selected: true })];
    await tab.waitFor();
    await expect
      .poll(async () => {
        const [around, open] = await Promise.all([list.boundingBox(), tab.boundingBox()]);
        return around !== null && open !== null && open.x + open.width <= around.x + around.width;
      })
      .toBe(true);
    await expectAccessible(page);
    await page.close();
  });

  it('are compared by their names, fifty at once, and by their folders where two have one name', async () => {
    const runs = readdirSync(folder).filter((id) => !id.endsWith('-long') && !id.endsWith('-diverged'));
    expect(runs).toHaveLength(50);
    const page = await studio.goTo(`/compare?runs=${runs.map((id) => `harbour/runs/${id}`).join(',')}`);
    const legend = page.getByRole('group', { name: 'Runs shown in the charts' });
    await legend.getByRole('button', { name: 'lower-rate-48', exact: true }).waitFor({ timeout: 30_000 });
    await legend.getByRole('button', { name: longName, exact: true }).waitFor();
    await page.getByRole('link', { name: 'lower-rate-48', exact: true }).waitFor();
    await expect.poll(() => coloredPixels(page.getByRole('img', { name: 'Loss', exact: true }))).toBeGreaterThan(100);
    await fits(page);
    await expectAccessible(page);
    await page.setViewportSize({ width: 390, height: 844 });
    await fits(page);
    copyOf('short', 'twice');
    copyFileSync(join(folder, idOf('short'), 'events.jsonl'), join(folder, idOf('twice'), 'events.jsonl'));
    await page.goto(`${agent.url}/compare?runs=${keyOf('short')},${keyOf('twice')}`);
    await legend.getByRole('button', { name: idOf('twice'), exact: true }).waitFor();
    await legend.getByRole('button', { name: idOf('short'), exact: true }).waitFor();
    await page.close();
  });

  it('are come back to by the way that one went', async () => {
    const page = await studio.goTo('/');
    const shown = (heading: string) => page.getByRole('heading', { name: heading, level: 1, exact: true }).waitFor();
    await page.locator(`[data-row="${keyOf('short')}"]`).click();
    await shown('short');
    await page.getByRole('tab', { name: 'Memory' }).click();
    await page.getByRole('article').getByRole('link', { name: 'Chat' }).click();
    await shown('Chat');
    for (const name of ['Models', 'Host', 'Recipes', 'Data']) {
      await page.getByRole('navigation').getByRole('link', { name }).click();
      await shown(name);
    }
    for (const name of ['Recipes', 'Host', 'Models', 'Chat', 'short']) {
      await page.goBack();
      await shown(name);
    }
    await page.getByRole('tab', { name: 'Memory', selected: true }).waitFor();
    await page.goBack();
    await shown('Runs');
    await page.close();
  });

  it('get a part of their page that did not come a moment later, and where it never comes say so', async () => {
    const page = await studio.context.newPage();
    await page.goto(`${agent.url}/run?id=${keyOf('short')}`);
    await page.getByRole('tab', { name: 'Export' }).waitFor();
    const parts = '**/_next/static/chunks/*.js';
    let failed = 0;
    await page.route(parts, (route) => (failed++ < 3 ? route.abort() : route.continue()));
    await page.getByRole('tab', { name: 'Export' }).click();
    await page.getByRole('region', { name: 'New export' }).waitFor();
    expect(failed).toBeGreaterThan(3);
    await page.route(parts, (route) => route.abort());
    await page.getByRole('tab', { name: 'Doctor' }).click();
    const said = page.getByRole('alert').filter({ hasText: 'This page cannot be shown' });
    await said.waitFor({ timeout: 30_000 });
    await expectAccessible(page);
    await page.unrouteAll();
    await said.getByRole('button', { name: 'Reload' }).press('Enter');
    await page.getByRole('tab', { name: 'Doctor', selected: true }).waitFor();
    await page.close();
  });

  it('said nothing in the console', () => {
    expect(studio.said.flat()).toEqual([]);
  });
});
