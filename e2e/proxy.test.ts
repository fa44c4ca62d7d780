/** The studio behind a proxy that shows it below a path of its own, as JupyterHub's does; its network, cut and back; its disk, full. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEvents } from '@anneal/core/trainer/eventReader';
import { readRun } from '@anneal/core/trainer/runReader';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgent } from './agent.ts';
import { openBrowser } from './browser.ts';
import { expectAccessible, watchConsole, watchEvents, writeLine } from './page.ts';
import { Proxy } from './proxy.ts';

const basePath = '/user/ada%40lab/proxy/4100';
const fullDisk = join(import.meta.dirname, 'fullDisk.mjs');
const agent = new TestAgent({ NODE_OPTIONS: `--import ${fullDisk}` }, ['--base-path', `${basePath}/`]);
let proxy: Proxy;
let studio: string;
let browser: Browser;
let context: BrowserContext;
const said: string[][] = [];
/** Whatever was asked of the proxy's host above the agent's path. */
const astray: string[] = [];

beforeAll(async () => {
  await agent.start();
  proxy = new Proxy(agent.url, basePath);
  studio = await proxy.listen();
  browser = await openBrowser();
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-US', colorScheme: 'light' });
  context.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (!pathname.startsWith(`${basePath}/`) && pathname !== basePath) astray.push(request.url());
  });
});

afterAll(async () => {
  await browser?.close();
  await proxy?.close();
  await agent.end();
  agent.remove();
});

async function open(path: string): Promise<Page> {
  const page = await context.newPage();
  said.push(watchConsole(page));
  await page.goto(`${studio}${path}`);
  return page;
}

const runs = join(agent.workspace, 'starter', 'runs');
const runPath = () => join(runs, readdirSync(runs)[0] as string);
const numbersOf = (events: readonly { seq: number }[]) => events.map(({ seq }) => seq);

describe('behind a proxy', () => {
  it('is paired below the path, with a cookie that is sent nowhere else', async () => {
    expect(agent.link.startsWith(`${agent.url}/pair#`)).toBe(true);
    expect(new URL(agent.url).pathname).toBe(basePath);
    const page = await open(''); // as people type it: without the last slash
    await page.waitForURL(`${studio}/pair`);
    said.pop();
    await page.close();
    const link = await open(agent.link.slice(agent.url.length));
    await link.getByText('No runs yet').waitFor();
    expect(new URL(link.url()).pathname.replace(/\/$/, '')).toBe(basePath);
    const [cookie] = await context.cookies(studio);
    expect(cookie).toMatchObject({ path: basePath, httpOnly: true, sameSite: 'Strict' });
    await link.close();
  });

  it('goes by its links from screen to screen, edits a recipe and trains', async () => {
    const page = await open('/');
    await page.getByRole('link', { name: 'Recipes' }).click();
    await page.waitForURL(`${studio}/recipes`);
    await page.getByRole('button', { name: 'Create the starter project' }).click();
    await page.getByText('Ready to start').waitFor();
    await page.locator('.monaco-editor .view-line').getByText('seed', { exact: true }).waitFor();
    // The editor's workers and its socket are there, too.
    await expect.poll(() => page.workers().length, { timeout: 30_000 }).toBeGreaterThan(0);
    await page.getByRole('status').getByText('Saved').waitFor();
    await page.getByRole('main').getByRole('link', { name: 'Look at the data' }).click();
    await page.waitForURL(`${studio}/data?*`);
    const file = { name: 'mine.jsonl', mimeType: 'text/plain', buffer: Buffer.from('{"text": "Of the tides."}\n') };
    await page.getByLabel('Upload a file').first().setInputFiles(file);
    await page.waitForURL(/[?&]file=.*mine\.jsonl/);
    await page.getByRole('table').getByText('Of the tides.').waitFor({ timeout: 30_000 });
    await page.close();
    agent.run('train', 'starter/recipe.yaml', '--detach', '--set', 'num_epochs=2000', '--set', 'logging_steps=1');
    const list = await open('/');
    await list.locator('[data-state="running"]').first().waitFor({ timeout: 30_000 });
    await list
      .getByRole('link', { name: /starter/ })
      .first()
      .click();
    await list.waitForURL(`${studio}/run?id=*`);
    await list.getByRole('img', { name: /^Loss/ }).waitFor({ timeout: 30_000 });
    await list.reload();
    await list.getByRole('img', { name: /^Loss/ }).waitFor({ timeout: 30_000 });
    const [table] = await Promise.all([list.waitForEvent('download'), list.getByRole('link', { name: 'CSV' }).click()]);
    expect(readFileSync(await table.path(), 'utf8')).toMatch(/^step,seconds,loss,/);
    await list.close();
  });

  it('says that the network is cut, and misses no event when it is back', async () => {
    const page = await context.newPage(); // its console tells of the connection that is lost
    const seen = watchEvents(page);
    await page.goto(`${studio}/run?id=${encodeURIComponent(`starter/runs/${readdirSync(runs)[0]}`)}`);
    await page.getByRole('img', { name: /^Loss/ }).waitFor({ timeout: 30_000 });
    await expect.poll(() => seen.events.length, { timeout: 30_000 }).toBeGreaterThan(0);
    for (let time = 0; time < 3; time++) {
      proxy.cut();
      await page.getByText('The agent cannot be reached').waitFor();
      if (time === 0) await expectAccessible(page);
      // The run goes on meanwhile.
      const { seq } = readRun(runPath()).status;
      await expect.poll(() => readRun(runPath()).status.seq, { timeout: 30_000 }).toBeGreaterThan(seq + 5);
      proxy.mend();
      await page.locator('[data-connection="open"]').waitFor({ timeout: 30_000 });
      await expect.poll(() => seen.events.at(-1), { timeout: 30_000 }).toBeGreaterThan(seq + 5);
    }
    agent.run('runs', 'stop', '--now', runPath());
    const events = [...readEvents(join(runPath(), 'events.jsonl'))];
    await expect.poll(() => seen.events.at(-1), { timeout: 30_000 }).toBe(events.length);
    await page.locator('[data-state="stopped"]').first().waitFor();
    expect(seen.events).toEqual(numbersOf(events).slice((seen.events[0] as number) - 1));
    await page.close();
  });

  it('says that the disk is full where something cannot be written, and goes on when there is room', async () => {
    const page = await context.newPage(); // its console tells of the upload that is refused
    const sign = join(agent.workspace, '.disk-is-full');
    const recipe = join(agent.workspace, 'starter', 'recipe.yaml');
    const before = readFileSync(recipe, 'utf8');
    await page.goto(`${studio}/recipes`);
    await page.getByText('Ready to start').waitFor();
    await page.locator('.monaco-editor .view-line').getByText('seed', { exact: true }).waitFor();
    writeFileSync(sign, '');
    await writeLine(page, 'seed', 'seed: 11');
    await page.getByRole('status').getByText('the disk is full').waitFor();
    expect(readFileSync(recipe, 'utf8')).toBe(before);
    await page.getByRole('button', { name: 'Start training' }).click();
    await page.getByRole('alert').getByText('the disk is full').waitFor();
    await expectAccessible(page);
    expect(readdirSync(runs)).toHaveLength(1);
    rmSync(sign);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('status').getByText('Saved').waitFor();
    expect(readFileSync(recipe, 'utf8')).toMatch(/^seed: 11$/m);
    await page.goto(`${studio}/data?recipe=starter/recipe.yaml`);
    await page.getByRole('table').first().waitFor({ timeout: 30_000 });
    writeFileSync(sign, '');
    const file = { name: 'late.jsonl', mimeType: 'text/plain', buffer: Buffer.from('{"text": "Of the ebb."}\n') };
    await page.getByLabel('Upload a file').first().setInputFiles(file);
    await page.getByRole('alert').getByText('the disk is full').waitFor({ timeout: 30_000 });
    rmSync(sign);
    await page.getByLabel('Upload a file').first().setInputFiles(file);
    await page.waitForURL(/[?&]file=.*late\.jsonl/, { timeout: 30_000 });
    await page.close();
  });

  it('asks for nothing outside of its path, and said nothing in the console', () => {
    expect(astray).toEqual([]);
    expect(said.length).toBeGreaterThan(2);
    expect(said.flat()).toEqual([]);
  });
});
