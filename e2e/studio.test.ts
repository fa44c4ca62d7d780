/** The first way through the studio: the real agent, the real engine on the starter model, a real browser. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEvents } from '@anneal/core/trainer/eventReader';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgent } from './agent.ts';
import { openBrowser } from './browser.ts';
import { coloredPixels, expectAccessible, watchConsole, watchEvents, writeLine } from './page.ts';

const agent = new TestAgent();
let browser: Browser;
let context: BrowserContext;
/** Of every page that was opened, but for those that say what they expect. */
const said: string[][] = [];

beforeAll(async () => {
  await agent.start();
  browser = await openBrowser();
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-US', colorScheme: 'light' });
});

afterAll(async () => {
  await browser?.close();
  await agent.end();
  agent.remove();
});

async function open(path: string): Promise<Page> {
  const page = await context.newPage();
  said.push(watchConsole(page));
  await page.goto(`${agent.url}${path}`);
  return page;
}

const runKey = (): string =>
  `harbour/runs/${readdirSync(join(agent.workspace, 'harbour', 'runs'))
    .sort()
    .at(-1)}`;
const eventsOfRun = () => [...readEvents(join(agent.workspace, runKey(), 'events.jsonl'))];
const upTo = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
const stepShown = async (page: Page) =>
  Number((await page.locator('dl dd').first().innerText()).split('/')[0]?.replaceAll(',', ''));
const state = (page: Page, name: string) => page.locator(`[data-state="${name}"]`).first().waitFor({ timeout: 30_000 });

/** Waits until the page shows a step after this one. */
async function stepAfter(page: Page, step: number): Promise<number> {
  await expect.poll(() => stepShown(page), { timeout: 30_000 }).toBeGreaterThan(step);
  return stepShown(page);
}

describe('the studio in a browser', () => {
  it('sends an unknown browser to the pairing screen, and says what to do about a wrong code', async () => {
    const page = await context.newPage();
    const messages = watchConsole(page);
    await page.goto(agent.url);
    await page.waitForURL('**/pair');
    await page.getByRole('textbox', { name: 'Pairing code' }).fill('WRONGCODE');
    await page.getByRole('button', { name: 'Pair' }).click();
    await page.getByText('This code does not work').waitFor();
    await expectAccessible(page);
    expect(messages.filter((text) => !text.includes('/api/pair'))).toEqual([]);
    await page.close();
  });

  it('is paired by the link, whose code then is nowhere, and shows how to start a first run', async () => {
    const page = await open(agent.link.slice(agent.url.length));
    await page.waitForURL(`${agent.url}/`);
    await page.getByText('No runs yet').waitFor();
    await expectAccessible(page);
    await page.close();
    const again = await open(agent.link.slice(agent.url.length));
    await again.getByText('This browser is paired').waitFor();
    expect(again.url()).toBe(`${agent.url}/pair`);
    await again.close();
  });

  it('starts a run in the browser, from nothing', async () => {
    const page = await open('/recipes');
    await page.getByText('No recipes yet').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Create the starter project' }).click();
    await page.getByRole('textbox', { name: 'Text of the recipe' }).waitFor();
    await page.getByText('Ready to start').waitFor();
    await writeLine(page, 'lora_r', 'lora_rr: 16');
    await page.getByText('unknown key lora_rr').waitFor();
    await page.getByRole('button', { name: 'Line 5' }).waitFor();
    expect(await page.getByRole('button', { name: 'Start training' }).isDisabled()).toBe(true);
    await expectAccessible(page);
    await writeLine(page, 'lora_rr', 'lora_r: 16');
    await writeLine(page, 'num_epochs', 'num_epochs: 600');
    await page.getByText('Ready to start').waitFor();
    // By itself, and again after every change.
    const estimate = page.getByRole('region', { name: 'What it takes' });
    await estimate.locator('[data-estimate="current"]').waitFor({ timeout: 60_000 });
    await estimate.getByText('It fits').waitFor();
    await estimate.getByText('known after a first run').waitFor();
    const steps = await estimate.getByText('an epoch', { exact: false }).first().innerText();
    await expectAccessible(page);
    await writeLine(page, 'num_epochs', 'num_epochs: x');
    await estimate.getByText('Shown is an earlier text.').waitFor();
    await estimate.getByText(steps).waitFor();
    await expectAccessible(page);
    await writeLine(page, 'num_epochs', 'num_epochs: 601');
    await expect.poll(() => estimate.getByText(steps).count(), { timeout: 60_000 }).toBe(0);
    await estimate.locator('[data-estimate="current"]').waitFor({ timeout: 60_000 });
    await writeLine(page, 'num_epochs', 'num_epochs: 600');
    await page.getByText('Ready to start').waitFor();
    await page.keyboard.press('Control+Enter');
    await page.waitForURL('**/run?id=starter*');
    await state(page, 'running');
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await state(page, 'stopped');
    await page.close();
  });

  it('shows a run that was started on the command line, as it goes on', async () => {
    agent.run('init', 'harbour');
    const page = await open('/');
    await page.getByRole('link', { name: /starter/ }).waitFor();
    agent.run(
      'train',
      'harbour/recipe.yaml',
      '--detach',
      '--set',
      'num_epochs=600',
      '--set',
      'save_total_limit=2',
      '--set',
      'logging_steps=1',
    );
    await page.getByRole('link', { name: /harbour/ }).waitFor({ timeout: 30_000 });
    await state(page, 'running');
    await expectAccessible(page);
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/run?id=*');
    await page.getByRole('img', { name: /Loss/ }).waitFor({ timeout: 30_000 });
    await stepAfter(page, await stepShown(page));
    await expectAccessible(page);
    await page.close();
  });

  it('keeps a zoom while steps go by, and in the address', async () => {
    const page = await open(`/run?id=${encodeURIComponent(runKey())}`);
    const chart = page.getByRole('img', { name: /^Loss/ });
    await chart.waitFor({ timeout: 30_000 });
    await stepAfter(page, 20);
    const box = await chart.boundingBox();
    if (!box) throw new Error('the chart has no place');
    const at = (share: number): [number, number] => [box.x + 60 + share * (box.width - 70), box.y + 80];
    await page.mouse.move(...at(0.2));
    await page.mouse.down();
    await page.mouse.move(...at(0.6), { steps: 5 });
    await page.mouse.up();
    const zoomed = page.getByText(/^Steps \d+ to \d+$/);
    await zoomed.waitFor();
    const text = await zoomed.innerText();
    await stepAfter(page, await stepShown(page));
    expect(await zoomed.innerText()).toBe(text);
    await page.reload();
    await page.getByText(text, { exact: true }).waitFor();
    // The zoom is of steps, whatever the curves are drawn over.
    await page.getByRole('radio', { name: 'tokens' }).click();
    await page.mouse.move(...at(0.1));
    await page.mouse.down();
    await page.mouse.move(...at(0.9), { steps: 5 });
    await page.mouse.up();
    await zoomed.waitFor();
    const [from = 0, to = 0] = (await zoomed.innerText()).match(/\d+/g)?.map(Number) ?? [];
    const [first = 0, last = 0] = text.match(/\d+/g)?.map(Number) ?? [];
    expect([from >= first, to <= last, from < to]).toEqual([true, true, true]);
    await page.getByRole('radio', { name: 'steps' }).click();
    await page.getByRole('button', { name: 'Show all' }).click();
    await zoomed.waitFor({ state: 'detached' });
    await page.close();
  });

  it('saves every step as a table, and the charts as a picture', async () => {
    const page = await open(`/run?id=${encodeURIComponent(runKey())}`);
    await page.getByRole('img', { name: /^Memory/ }).waitFor({ timeout: 30_000 });
    const [table] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV' }).click()]);
    const [head, first, second] = readFileSync(await table.path(), 'utf8').split('\n');
    expect(head).toMatch(/^step,seconds,loss,/);
    expect(first?.split(',')).toHaveLength(head?.split(',').length ?? 0);
    expect([first, second].map((line) => line?.split(',')[0])).toEqual(['1', '2']);
    const [picture] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'PNG' }).click(),
    ]);
    expect(
      readFileSync(await picture.path())
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
    await page.close();
  });

  it('prints charts that are off screen as they are now', async () => {
    const page = await open(`/run?id=${encodeURIComponent(runKey())}`);
    const memory = page.getByRole('img', { name: /^Memory/ });
    await memory.waitFor({ timeout: 30_000 });
    await page.setViewportSize({ width: 1280, height: 300 });
    await page.evaluate('scrollTo(0, 0)');
    const picture = () =>
      memory.locator('canvas').evaluate((element) => (element as unknown as { toDataURL(): string }).toDataURL());
    const waitForSteps = async () => stepAfter(page, (await stepShown(page)) + 5);
    await waitForSteps();
    const before = await picture();
    await waitForSteps();
    // Nobody sees it: it is not drawn.
    expect(await picture()).toBe(before);
    await page.pdf();
    expect(await picture()).not.toBe(before);
    await page.close();
  });

  it('misses no event when a tab is closed and opened again', async () => {
    for (let time = 0; time < 2; time++) {
      const page = await context.newPage();
      said.push(watchConsole(page));
      const seen = watchEvents(page);
      await page.goto(`${agent.url}/run?id=${encodeURIComponent(runKey())}`);
      await page.getByRole('img', { name: /^Loss/ }).waitFor();
      await stepAfter(page, await stepShown(page));
      await page.close();
      // What came begins no later than after the answer that the curves begin with, and has no hole.
      expect(seen.events).toEqual(upTo(seen.events[0] as number, seen.events.at(-1) as number));
      expect(seen.events[0]).toBeLessThanOrEqual((seen.answered[0] as number) + 1);
      expect(seen.events.length).toBeGreaterThan(0);
    }
  });

  it('says when the agent is gone, and misses no event when it is back', async () => {
    const page = await context.newPage();
    const seen = watchEvents(page);
    await page.goto(`${agent.url}/run?id=${encodeURIComponent(runKey())}`);
    await page.getByRole('img', { name: /^Loss/ }).waitFor();
    const before = await stepAfter(page, await stepShown(page));
    await agent.end('SIGKILL');
    await page.getByText('The agent cannot be reached').waitFor();
    await expectAccessible(page);
    await agent.start();
    await page.locator('[data-connection="open"]').waitFor({ timeout: 20_000 });
    await stepAfter(page, before);
    await page.close();
    expect(seen.events).toEqual(upTo(seen.events[0] as number, seen.events.at(-1) as number));
  });

  it('saves, stops and resumes', async () => {
    const page = await open(`/run?id=${encodeURIComponent(runKey())}&tab=events`);
    await page.getByRole('button', { name: 'Save now' }).click();
    await expect
      .poll(() => eventsOfRun().filter(({ type }) => type === 'checkpoint').length, { timeout: 20_000 })
      .toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await state(page, 'stopped');
    expect(eventsOfRun().at(-1)).toMatchObject({ type: 'stopped' });
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Resume' }).click();
    await state(page, 'running');
    await page
      .getByText(/^Resumed after step/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'More ways to stop' }).click();
    await page.getByRole('menuitem', { name: /Stop at once/ }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Stop at once' }).click();
    await state(page, 'stopped');
    await page.close();
  });

  it('compares runs that are chosen in the list, and says what is not there', async () => {
    const [first, second] = [runKey(), 'harbour/runs/20260101-000000-other'];
    const copy = join(agent.workspace, second);
    mkdirSync(copy);
    for (const file of ['events.jsonl', 'recipe.yaml']) {
      copyFileSync(join(agent.workspace, first, file), join(copy, file));
    }
    const recipe = readFileSync(join(agent.workspace, first, 'recipe.resolved.yaml'), 'utf8');
    expect(recipe).toMatch(/^seed: 3407$/m);
    writeFileSync(join(copy, 'recipe.resolved.yaml'), recipe.replace(/^seed: 3407$/m, 'seed: 7'));

    const page = await open('/');
    // They differ in their seeds alone: one head for both, which hides and shows them.
    const family = page.locator('[data-family]');
    const folder = family.getByRole('button', { name: /2 seeds/ });
    await folder.press('Enter');
    expect(await family.locator('[data-row]').first().isVisible()).toBe(false);
    await expectAccessible(page);
    await folder.press('Enter');
    for (const key of [first, second]) {
      await page.getByRole('checkbox', { name: `Select ${key} to compare it` }).press('Space');
    }
    await page.getByRole('link', { name: 'Compare 2 runs' }).press('Enter');
    await page.waitForURL('**/compare?runs=*');
    await page.reload();
    const row = page.getByRole('row', { name: /^seed/ });
    await row.waitFor();
    expect((await row.getByRole('cell').allInnerTexts()).sort()).toEqual(['3407', '7']);
    expect(await page.getByRole('row', { name: /base_model/ }).count()).toBe(0);
    await page.getByRole('img', { name: 'Validation loss' }).waitFor();
    await expect.poll(() => coloredPixels(page.getByRole('img', { name: 'Loss', exact: true }))).toBeGreaterThan(100);
    await page.getByRole('radio', { name: `Compare with ${second}` }).check();
    await expect.poll(() => page.url()).toContain('baseline=');
    await page.getByRole('button', { name: 'Steps', exact: true }).press('Enter');
    await page.getByRole('columnheader', { name: 'Steps', exact: true, includeHidden: false }).waitFor();
    const [table] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'CSV: Results and settings' }).press('Enter'),
    ]);
    const [head, ...lines] = readFileSync(await table.path(), 'utf8')
      .trim()
      .split('\n');
    expect(head).toMatch(/^run,state,steps,.*,seed$/);
    expect(lines.map((text) => text.split(',').at(-1)).sort()).toEqual(['3407', '7']);
    const seeds = page.getByRole('region', { name: 'Several seeds' });
    await seeds.getByRole('cell', { name: /seeds \d+, \d+$/ }).waitFor();
    await page.getByRole('group').getByRole('button', { name: / × 2$/ }).waitFor();
    await expectAccessible(page);
    await page.getByRole('radio', { name: 'Each seed' }).press('Space');
    await page.waitForURL('**&seeds=each');
    const line = page.getByRole('group').getByRole('button', { name: /other/ });
    await line.press('Space');
    expect(await line.getAttribute('aria-pressed')).toBe('false');
    await expectAccessible(page);
    await page.goto(`${agent.url}/compare?runs=${encodeURIComponent(first)},harbour/runs/none`);
    await page.getByText('Not here any more, deleted or renamed: harbour/runs/none').waitFor();
    await page.getByText('Nothing to compare').waitFor();
    await expectAccessible(page);
    await page.close();
    rmSync(copy, { recursive: true });
  });

  it('says in the list why a run failed', async () => {
    const path = join(agent.workspace, 'harbour/runs/20260101-000001-failed');
    mkdirSync(path);
    for (const file of ['recipe.yaml', 'recipe.resolved.yaml']) {
      copyFileSync(join(agent.workspace, runKey(), file), join(path, file));
    }
    const error = { code: 'disk_full', what: 'the disk is full', where: path, next: 'free some of it' };
    const time = '2026-01-01T00:00:01.000Z';
    const created = { seq: 1, time, type: 'run_created', version: 1, id: '20260101-000001-failed', name: 'failed' };
    const failed = { seq: 2, time, type: 'failed', error };
    writeFileSync(join(path, 'events.jsonl'), `${JSON.stringify(created)}\n${JSON.stringify(failed)}\n`);
    const page = await open('/');
    await page.getByText('the disk is full').waitFor();
    await expectAccessible(page);
    await page.close();
    rmSync(path, { recursive: true });
  });

  it('marks a loss that jumped in the list, on the page and in the charts, until somebody acknowledges it', async () => {
    const key = 'harbour/runs/20260101-000002-jumped';
    const path = join(agent.workspace, key);
    mkdirSync(path);
    const recipe = join(agent.workspace, 'harbour', 'recipe.yaml');
    copyFileSync(recipe, join(path, 'recipe.yaml'));
    const resolved = readFileSync(join(agent.workspace, runKey(), 'recipe.resolved.yaml'), 'utf8');
    writeFileSync(join(path, 'recipe.resolved.yaml'), resolved.replace(/^learning_rate: .*$/m, 'learning_rate: 1e-9'));
    const first = eventsOfRun()
      .filter((event) => event.type === 'step')
      .slice(0, 40)
      .map((step, at) => ({ ...step, step: at + 1, loss: at === 30 ? 50 : 2 }));
    const events = [{ type: 'run_created', id: 'jumped', name: 'jumped', time: first[0]?.time }, ...first];
    writeFileSync(
      join(path, 'events.jsonl'),
      events.map((event, at) => `${JSON.stringify({ ...event, seq: at + 1 })}\n`).join(''),
    );
    writeFileSync(join(path, 'run.log'), `an early warning\n${'and nothing more\n'.repeat(10_000)}`);
    const page = await open('/');
    await page
      .getByRole('link', { name: /jumped/ })
      .getByText('1 alert: Loss spike')
      .waitFor();
    await expectAccessible(page);
    await page.goto(`${agent.url}/run?id=${encodeURIComponent(key)}`);
    await page.getByText('the loss jumped to 50 at step 31').waitFor();
    await page.getByRole('img', { name: /^Loss/ }).waitFor();
    await page.getByText('alert', { exact: true }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Acknowledge' }).press('Enter');
    await page.getByText('1 acknowledged alert').press('Enter');
    await page.getByText('the loss jumped to 50 at step 31').waitFor();
    expect(await page.getByRole('button', { name: 'Acknowledge' }).count()).toBe(0);
    await expectAccessible(page);
    await page.getByRole('tab', { name: 'Doctor' }).press('Enter');
    await page.getByRole('heading', { name: 'the model does not learn from these rows' }).waitFor({ timeout: 30_000 });
    await page.getByText('the rows: the run holds no prepared data').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Look again' }).press('Enter');
    await page.getByRole('button', { name: 'Look again' }).waitFor({ timeout: 30_000 });
    const inEditor = page.getByRole('link', { name: 'Open in the editor with this change' });
    const proposing = await context.newPage();
    said.push(watchConsole(proposing));
    await proposing.goto(`${agent.url}${await inEditor.getAttribute('href')}`);
    const proposal = proposing.getByRole('region', { name: 'A proposed change' });
    await proposal.getByRole('row', { name: /^learning_rate \S+ 0.0002$/ }).waitFor();
    await expectAccessible(proposing);
    const before = readFileSync(recipe, 'utf8');
    await proposal.getByRole('button', { name: 'Make the change' }).press('Enter');
    await proposal.waitFor({ state: 'detached' });
    await expect
      .poll(() => readFileSync(recipe, 'utf8'), { timeout: 15_000 })
      .toBe(before.replace(/^(learning_rate: )\S+/m, (_, written) => `${written}0.0002`));
    await proposing.getByText('0.0002').first().click();
    await proposing.keyboard.press('Control+z');
    await expect.poll(() => readFileSync(recipe, 'utf8'), { timeout: 15_000 }).toBe(before);
    await proposing.close();
    await page.getByRole('tab', { name: 'Output' }).press('Enter');
    await page.getByText('The last 128 KiB').waitFor();
    await page.getByRole('searchbox', { name: 'Search in the output' }).fill('EARLY warning');
    await page.getByText('1: an early warning').waitFor();
    await page.getByText('1 line', { exact: true }).waitFor();
    await expectAccessible(page);
    await page.getByRole('textbox', { name: 'New tag' }).fill('two words');
    await page.getByText('A tag is a word').waitFor();
    await page.getByRole('textbox', { name: 'New tag' }).fill('odd');
    await page.getByRole('textbox', { name: 'New tag' }).press('Enter');
    await page.getByRole('button', { name: 'Remove the tag odd' }).waitFor();
    await page.getByRole('button', { name: 'Write a note' }).press('Enter');
    await page.getByRole('textbox', { name: 'Note' }).fill('look at row 31');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Save', exact: true }).press('Enter');
    await page.getByText('look at row 31').waitFor();
    await page.goto(agent.url);
    await page.getByRole('link', { name: /jumped/ }).waitFor();
    await page.getByText('1 alert: Loss spike').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'odd' }).press('Enter');
    await page
      .getByRole('link', { name: /harbour/ })
      .first()
      .waitFor({ state: 'detached' });
    await page.getByRole('link', { name: /jumped/ }).waitFor();
    await expect.poll(() => page.url()).toContain('tag=odd');
    await expectAccessible(page);
    await page.close();
    rmSync(path, { recursive: true });
  });

  it('speaks Chinese and goes dark when asked, and remembers it', async () => {
    const page = await open('/');
    await page.getByRole('button', { name: 'Language, Theme' }).click();
    await page.getByRole('radio', { name: '简体中文' }).click();
    await page.getByRole('radio', { name: '深色' }).click();
    await page.getByRole('heading', { name: '训练', level: 1 }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: '训练', level: 1 }).waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
    expect(await page.locator('html').getAttribute('class')).toContain('dark');
    await page.getByRole('link', { name: /harbour/ }).click();
    await page.getByRole('img', { name: /^损失/ }).waitFor();
    await expectAccessible(page);
    await page.close();
  });

  it('said nothing in the console', () => {
    expect(said.length).toBeGreaterThan(5);
    expect(said.flat()).toEqual([]);
  });

  it('ends in order', async () => {
    expect(await agent.end()).toBe(0);
  });
});
