/** The host's screen: runs that wait for one device, reordered, and a killed agent that goes on with them. */
import { cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEvents } from '@anneal/core/trainer/eventReader';
import { readRun } from '@anneal/core/trainer/runReader';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgent } from './agent.ts';
import { expectAccessible, watchConsole } from './page.ts';
import { PairedBrowser } from './pairedBrowser.ts';

const agent = new TestAgent();
let studio: PairedBrowser;

beforeAll(async () => {
  await agent.start();
  studio = await PairedBrowser.open(agent);
  agent.run('init', 'harbour');
});

afterAll(async () => {
  await studio?.browser.close();
  await agent.end();
  agent.remove();
});

const open = (path: string): Promise<Page> => studio.goTo(path);

/** More epochs than there is time for, however long the others take. */
const endless = 100_000;

const runs = join(agent.workspace, 'harbour', 'runs');
const runNamed = (name: string): string => join(runs, readdirSync(runs).find((id) => id.endsWith(name)) ?? 'none');
const names = (page: Page) => page.locator('[data-waiting] a').allInnerTexts();

function queue(name: string, epochs: number): void {
  agent.run(
    'train',
    'harbour/recipe.yaml',
    '--queue',
    '--name',
    name,
    '--set',
    `num_epochs=${epochs}`,
    '--set',
    'device=cpu',
    // So that what has ended has an older checkpoint, too.
    '--set',
    'saves_per_epoch=2',
  );
}

/** As if the run had waited for a GPU that is no longer there. */
function waitForGone(name: string): void {
  const states = join(agent.workspace, '.state', 'anneal', 'agents');
  const file = join(states, readdirSync(states)[0] as string, 'queue.json');
  const text = readFileSync(file, 'utf8');
  const { waiting } = JSON.parse(text) as { waiting: { run: string }[] };
  const gone = waiting.map((entry) => (entry.run.endsWith(`-${name}`) ? { ...entry, device: 'cuda:7' } : entry));
  writeFileSync(file, JSON.stringify({ ...JSON.parse(text), waiting: gone }));
}

describe('the host', () => {
  it('shows what trains on a device and what waits for it, in an order that can be changed', async () => {
    const page = await open('/host');
    await page.getByText('Free. A run that is started begins at once.').waitFor();
    await page.getByText(agent.workspace).first().waitFor();
    await page.getByText(/^\d+ threads, load \d+\.\d\d$/).waitFor();
    await page.getByRole('region', { name: 'Can this machine train?' }).getByText('tokenizer').waitFor();
    await expectAccessible(page);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Support file' }).click();
    const support = JSON.parse(readFileSync(await (await download).path(), 'utf8'));
    expect(support).toMatchObject({ version: 1, run: null });
    expect(support.devices.map(({ name }: { name: string }) => name)).toContain('cpu');
    queue('long', endless);
    await page.getByRole('region', { name: 'cpu' }).getByRole('link', { name: 'long' }).waitFor();
    for (const name of ['one', 'two', 'three']) queue(name, 1);
    await expect.poll(() => names(page), { timeout: 20_000 }).toEqual(['one', 'two', 'three']);
    await expectAccessible(page);
    // By the keyboard alone.
    await page.getByRole('button', { name: 'Move three up' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => names(page), { timeout: 20_000 }).toEqual(['one', 'three', 'two']);
    await page.locator('[data-waiting]').nth(2).dragTo(page.locator('[data-waiting]').nth(0));
    await expect.poll(() => names(page), { timeout: 20_000 }).toEqual(['two', 'one', 'three']);
    await page.getByRole('button', { name: 'Take three out of the queue' }).click();
    await expect.poll(() => names(page), { timeout: 20_000 }).toEqual(['two', 'one']);
    await page.close();
  });

  it('lets a run whose device is gone wait for another one', async () => {
    waitForGone('two');
    const page = await open('/host');
    const lane = page.getByRole('region', { name: 'cuda:7' });
    const choice = lane.getByRole('combobox', { name: 'Device that two waits for' });
    await choice.waitFor();
    await expectAccessible(page);
    await choice.selectOption('cpu');
    await lane.waitFor({ state: 'detached' });
    await expect.poll(() => names(page), { timeout: 20_000 }).toEqual(['one', 'two']);
    await page.getByRole('button', { name: 'Move two up' }).click();
    await expect.poll(() => names(page), { timeout: 20_000 }).toEqual(['two', 'one']);
    await page.close();
  });

  it('takes a run that is dragged from one device to another, and says why where it does not', async () => {
    waitForGone('two');
    const page = await open('/host');
    const [gone, cpu] = [page.getByRole('region', { name: 'cuda:7' }), page.getByRole('region', { name: 'cpu' })];
    const [one, two] = ['one', 'two'].map((name) => page.locator(`[data-waiting$="-${name}"]`)) as [Locator, Locator];
    // What comes later moves what is below it.
    await page.getByText(/^\d+ threads, load/).waitFor();
    await page.getByRole('link', { name: 'Look at the data' }).waitFor();
    await one.dragTo(gone.getByRole('heading', { name: 'cuda:7' }));
    await gone.getByText('there is no device cuda:7').first().waitFor();
    await expectAccessible(page);
    // Over a row: to its place.
    await two.dragTo(one);
    await gone.waitFor({ state: 'detached' });
    await expect.poll(() => names(page), { timeout: 20_000 }).toEqual(['two', 'one']);
    waitForGone('one');
    await gone.waitFor();
    await one.dragTo(cpu.getByRole('heading', { name: 'cpu' }));
    await gone.waitFor({ state: 'detached' });
    await expect.poll(() => names(page), { timeout: 20_000 }).toEqual(['two', 'one']);
    await page.close();
  });

  it('shows a run that waits with its place, and takes it out', async () => {
    const page = await open(`/run?id=harbour/runs/${runNamed('-one').split('/').at(-1)}`);
    const waits = page.getByRole('region', { name: 'What the run waits for' });
    await waits.getByText('Waits for cpu: 2 of 2.').waitFor();
    await waits.getByText('The device trains: long').waitFor();
    await waits.getByText('Before this run come: two').waitFor();
    await page.locator('[data-state="queued"]').first().waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Take out of the queue' }).click();
    await page.locator('[data-state="created"]').first().waitFor();
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.locator('[data-state="queued"]').first().waitFor();
    await page.close();
  });

  it('starts a run that has not begun on another device where its own is gone', async () => {
    // Of another machine.
    const arriving = join(agent.workspace, '.arriving');
    cpSync(runNamed('-three'), arriving, { recursive: true });
    const recipe = join(arriving, 'recipe.resolved.yaml');
    writeFileSync(recipe, readFileSync(recipe, 'utf8').replace(/^device: cpu$/m, 'device: cuda:7'));
    renameSync(arriving, join(runs, '20260101-000000-arrived'));
    const page = await open('/run?id=harbour/runs/20260101-000000-arrived');
    const elsewhere = page.getByRole('button', { name: 'Start on cpu', exact: true });
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByText('there is no device cuda:7').first().waitFor();
    await expectAccessible(page);
    await elsewhere.press('Enter');
    await page.getByText('Waits for cpu: 3 of 3.').waitFor();
    expect(await elsewhere.count()).toBe(0);
    await page.getByRole('button', { name: 'Take out of the queue' }).click();
    await page.locator('[data-state="created"]').first().waitFor();
    await page.close();
  });

  it('goes on with the queue when the agent and the runner were killed, of which no event is lost', async () => {
    const page = await studio.context.newPage(); // its console tells of the connection that is lost
    await page.goto(`${agent.url}/host`);
    await expect.poll(() => names(page), { timeout: 20_000 }).toEqual(['two', 'one']);
    await agent.end('SIGKILL');
    await page.getByText('The agent cannot be reached').waitFor();
    const long = runNamed('-long');
    const { owner } = readRun(long);
    if (!owner) throw new Error('the long run has ended by itself');
    process.kill(owner.pid, 'SIGKILL');
    await expect.poll(() => readRun(long).state, { timeout: 20_000 }).toBe('interrupted');
    await agent.start();
    await page.locator('[data-connection="open"]').waitFor({ timeout: 20_000 });
    for (const name of ['-two', '-one']) {
      await expect.poll(() => readRun(runNamed(name)).state, { timeout: 30_000 }).toBe('finished');
      const events = [...readEvents(join(runNamed(name), 'events.jsonl'))];
      expect(events.filter(({ type }) => type === 'started')).toHaveLength(1);
    }
    const numbers = [...readEvents(join(long, 'events.jsonl'))].map(({ seq }) => seq);
    expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] as number) + i));
    expect(readRun(long)).toMatchObject({ state: 'interrupted', owner: undefined });
    await page.getByText('Free. A run that is started begins at once.').waitFor();
    await page.close();
  });

  it('deletes a run, brings it back, and frees the disk of one that is deleted', async () => {
    const name = runNamed('-three').split('/').at(-1) as string;
    const page = await open(`/run?id=harbour/runs/${name}`);
    await page.getByRole('button', { name: 'Delete this run' }).click();
    await page.getByText(`${name} was deleted.`).waitFor();
    await expect.poll(() => page.locator(`[data-row="harbour/runs/${name}"]`).count()).toBe(0);
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('button', { name: 'Delete this run' }).click();
    await page.getByText(`${name} was deleted.`).waitFor();
    await page.goto(`${agent.url}/settings`);
    const card = page.getByRole('region', { name: 'Storage' });
    await card.getByText('Trash').click();
    await card.getByText('Older checkpoints').click();
    await card.getByRole('checkbox', { name }).check();
    await expectAccessible(page);
    await card.getByRole('button', { name: /^Free / }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await card.getByText('were freed.').waitFor();
    expect(readdirSync(runs).filter((id) => id.endsWith('-three'))).toEqual([]);
    await page.close();
  });

  it('is there in Chinese, for a phone', async () => {
    const storageState = await studio.context.storageState();
    const phone = await studio.browser.newContext({
      viewport: { width: 390, height: 800 },
      locale: 'zh-CN',
      storageState,
    });
    const page = await phone.newPage();
    studio.said.push(watchConsole(page));
    await page.goto(`${agent.url}/host`);
    await page.getByRole('heading', { name: '主机', level: 1 }).waitFor();
    await page.getByText('空闲').waitFor();
    const doctor = page.getByRole('region', { name: '这台机器可以训练吗？' });
    await doctor.getByText('可以加载').nth(1).waitFor();
    expect(await doctor.innerText()).not.toMatch(/loads|free of|threads/);
    const [bar, here] = [page.getByRole('navigation'), page.getByRole('link', { name: '主机' })];
    const ends = await Promise.all(
      [bar, here].map(async (part) => part.boundingBox().then((box) => box && box.x + box.width)),
    );
    expect(ends[1]).toBeLessThanOrEqual(ends[0] as number);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await expectAccessible(page);
    await phone.close();
  });

  it('said nothing in the console', () => {
    expect(studio.said.flat()).toEqual([]);
  });
});
