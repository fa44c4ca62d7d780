/** A recipe in the editor: what it knows while one writes, and what several people see who write at once. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseText, readValue } from '@anneal/core/recipe/edit';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgent } from './agent.ts';
import { openBrowser } from './browser.ts';
import { expectAccessible, watchConsole, writeLine } from './page.ts';

const agent = new TestAgent();
const file = join(agent.workspace, 'harbour', 'recipe.yaml');
/** Two people: of a light English and of a dark Chinese browser. */
let ada: BrowserContext;
let bo: BrowserContext;
let browser: Browser;
const said: string[][] = [];

beforeAll(async () => {
  await agent.start();
  agent.run('init', 'harbour');
  browser = await openBrowser();
  ada = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-US', colorScheme: 'light' });
  const page = await ada.newPage();
  await page.goto(agent.link);
  await page.waitForURL(`${agent.url}/`);
  await page.close();
  const storageState = await ada.storageState();
  bo = await browser.newContext({
    // As narrow as a phone, and so high that the whole recipe is in sight.
    viewport: { width: 390, height: 1400 },
    locale: 'zh-CN',
    colorScheme: 'dark',
    storageState,
  });
});

afterAll(async () => {
  await browser?.close();
  await agent.end();
  agent.remove();
});

async function openRecipe(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  said.push(watchConsole(page));
  await page.goto(`${agent.url}/recipes`);
  await page.getByText(/Ready to start|可以开始/).waitFor();
  await page.locator('.monaco-editor .view-line').getByText('seed', { exact: true }).waitFor();
  return page;
}

const written = () => readFileSync(file, 'utf8');
const lineWritten = (line: string) => expect.poll(() => written().split('\n'), { timeout: 15_000 }).toContain(line);
/** A line may end with defaults in gray. */
const shown = (page: Page, line: string) =>
  page
    .locator('.monaco-editor .view-line')
    .filter({ hasText: new RegExp(`^${line.replaceAll(' ', '.')}(?:\\W.*)?$`) })
    .first()
    .waitFor({ timeout: 15_000 });

describe('the editor of recipes', () => {
  it('completes and explains, in a worker of its own', async () => {
    const page = await openRecipe(ada);
    await page.locator('.monaco-editor .view-line').getByText('lora_alpha', { exact: true }).click();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.keyboard.type('lora_dr');
    await page.locator('.suggest-widget').getByText('lora_dropout').first().waitFor();
    await page.keyboard.press('Enter');
    await page.keyboard.type('0.1');
    await lineWritten('lora_dropout: 0.1');
    await page.getByText('Ready to start').waitFor();
    await page.locator('.monaco-editor .view-line').getByText('lr_scheduler', { exact: true }).hover();
    await page.locator('.monaco-hover').getByText('How the learning rate goes').waitFor();
    const isWorker = page.workers().map((worker) => worker.evaluate(() => 'importScripts' in globalThis));
    expect(await Promise.all(isWorker)).toContain(true);
    await expectAccessible(page);
    await page.close();
  });

  it('shows a mistake where it is while one types, and mends it', async () => {
    const page = await openRecipe(ada);
    await writeLine(page, 'lora_r', 'lora_rr: 16');
    await page.getByText('unknown key lora_rr').waitFor();
    expect(await page.getByRole('button', { name: 'Start training' }).isDisabled()).toBe(true);
    const squiggle = await page.locator('.squiggly-error').first().boundingBox();
    const line = await page.locator('.view-line').filter({ hasText: 'lora_rr' }).boundingBox();
    expect(Math.abs((squiggle?.y ?? 0) - (line?.y ?? 1e9))).toBeLessThan(line?.height ?? 0);
    await page.getByRole('button', { name: 'Line 5' }).click();
    await page.keyboard.press('Control+.');
    await page.getByText('Replace by lora_r', { exact: true }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('Ready to start').waitFor();
    await lineWritten('lora_r: 16');
    await page.close();
  });

  it('is one text for two people, with the cursor of the other by name, and undo of one’s own', async () => {
    const page = await openRecipe(ada);
    await page.getByRole('button', { name: /\(you\)$/ }).click();
    await page.getByRole('textbox', { name: 'Your name, as others see it' }).fill('Ada "L"');
    await page.getByRole('button', { name: 'Use this name' }).click();
    const other = await openRecipe(bo);
    await writeLine(page, 'seed', 'seed: 11');
    await shown(other, 'seed: 11');
    // Drawn anew at every change.
    const label = () =>
      other.evaluate(
        `getComputedStyle(document.querySelector('.yRemoteSelectionHead') ?? document.body, '::after').content`,
      );
    await expect.poll(label).toContain('Ada \\"L\\"');
    expect(await other.getByRole('list', { name: '正在打开此配方的人' }).innerText()).toContain('Ada "L"');
    await expectAccessible(page);
    await expectAccessible(other);
    await writeLine(other, 'lora_r', 'lora_r: 8');
    await shown(page, 'lora_r: 8');
    await page.keyboard.press('Control+z');
    await shown(page, 'seed: 3407');
    await shown(other, 'seed: 3407');
    await lineWritten('seed: 3407');
    expect(written()).toContain('lora_r: 8\n');
    await page.keyboard.press('Control+Shift+z');
    await shown(other, 'seed: 11');
    await other.close();
    await page.close();
  });

  it('loses nothing when the agent is killed while both write', async () => {
    const page = await openRecipe(ada);
    const other = await openRecipe(bo);
    await writeLine(page, 'warmup_ratio', 'warmup_ratio: 0.1');
    await agent.end('SIGKILL');
    await page.getByText('The agent cannot be reached').first().waitFor();
    await writeLine(page, 'num_epochs', 'num_epochs: 3');
    await writeLine(other, 'sequence_len', 'sequence_len: 128');
    await agent.start();
    for (const line of ['warmup_ratio: 0.1', 'num_epochs: 3', 'sequence_len: 128']) {
      await lineWritten(line);
      await shown(page, line);
      await shown(other, line);
    }
    const keys = written().match(/^\w+(?=:)/gm) ?? [];
    expect(new Set(keys).size).toBe(keys.length);
    await page.getByText('Saved', { exact: true }).first().waitFor();
    await page.close();
    await other.close();
  });

  it('takes over what another program writes, and the way back stands in the history', async () => {
    const page = await openRecipe(ada);
    writeFileSync(file, written().replace('weight_decay: 0.0', 'weight_decay: 0.01'));
    await shown(page, 'weight_decay: 0.01');
    await page.getByText('Another program has changed the file').waitFor();
    await page.getByRole('button', { name: /^Changed elsewhere/ }).waitFor();
    await page.getByRole('button', { name: /^As it was/ }).click();
    const row = page.getByRole('row', { name: /^weight_decay/ });
    expect((await row.innerText()).split(/\s+/)).toEqual(['weight_decay', '0.01', '0']);
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Restore this version' }).click();
    await shown(page, 'weight_decay: 0.0');
    await lineWritten('num_epochs: 8');
    await page.getByRole('button', { name: /^Restored/ }).waitFor();
    await page.close();
  });

  it('is a form beside the text: a change is one of a value, by whoever makes it, with the comments left', async () => {
    const page = await openRecipe(ada);
    await page.getByRole('radio', { name: 'Both' }).click();
    await writeLine(page, 'lora_alpha', 'lora_alpha: 32 # twice the rank');
    const field = (name: string) => page.getByRole('textbox', { name, exact: true });
    await field('lora_alpha').fill('64');
    await shown(page, 'lora_alpha: 64 # twice the rank');
    await field('lora_r').fill('9999');
    await page.getByRole('region', { name: 'Form of the recipe' }).getByText('out of range').waitFor();
    expect(await field('lora_r').getAttribute('aria-invalid')).toBe('true');
    const about = (await field('lora_r').getAttribute('aria-describedby'))?.split(' ').at(-1);
    expect(await page.locator(`[id="${about}"]`).innerText()).toContain('out of range');
    await expectAccessible(page);
    await page.keyboard.press('Control+z');
    await page.getByText('Ready to start').waitFor();
    expect(await field('lora_alpha').inputValue()).toBe('64');

    const other = await openRecipe(bo);
    await other.getByRole('radio', { name: '表单' }).click();
    await other.getByRole('searchbox', { name: '查找设置' }).fill('weight_decay');
    await other.getByRole('textbox', { name: 'weight_decay' }).fill('0.02');
    await shown(page, 'weight_decay: 0.02');
    await other.getByRole('searchbox', { name: '查找设置' }).fill('');
    const batches = other.getByRole('region', { name: '批次' });
    await batches.getByRole('button', { name: /另有/ }).click();
    expect(await other.getByRole('textbox', { name: 'max_steps' }).getAttribute('placeholder')).toBe('无');
    await expectAccessible(other);
    await other.close();

    await page.getByRole('combobox', { name: 'sample_packing' }).selectOption('');
    await expect.poll(written).not.toContain('sample_packing');
    await field('lora_alpha').focus();
    await page.keyboard.press('Control+z');
    await page.keyboard.press('Control+z');
    await lineWritten('lora_alpha: 32 # twice the rank');
    await lineWritten('sample_packing: false');
    expect(written()).toContain('weight_decay: 0.02\n');
    await field('weight_decay').fill('0.0');
    await lineWritten('weight_decay: 0.0');
    await page.close();
  });

  it('has conversations as sample prompts in the form, which stay what they are in the text', async () => {
    const page = await openRecipe(ada);
    const before = written();
    await page.getByRole('radio', { name: 'Form' }).click();
    await page.getByRole('searchbox').fill('sample_prompts');
    await page.getByRole('button', { name: 'Add a conversation' }).click();
    await page.getByRole('textbox', { name: 'Message 1', exact: true }).fill('Be brief.\nBe kind.');
    await page.getByRole('combobox', { name: 'Who says message 1' }).selectOption('system');
    await page.getByRole('button', { name: 'Add a message' }).click();
    await page.getByRole('textbox', { name: 'Message 2', exact: true }).fill('Who are you?');
    const prompts = () => (readValue(parseText(written()), ['sample_prompts'])?.value as unknown[] | undefined)?.at(-1);
    await expect.poll(prompts, { timeout: 20_000 }).toEqual([
      { role: 'system', content: 'Be brief.\nBe kind.' },
      { role: 'user', content: 'Who are you?' },
    ]);
    await page.getByText('Ready to start').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: /^Remove Conversation/ }).click();
    await expect.poll(written, { timeout: 20_000 }).toBe(before);
    await page.getByRole('radio', { name: 'Text' }).click();
    await page.close();
  });

  it('shows the defaults in gray, and takes out one of two keys that exclude each other', async () => {
    const page = await openRecipe(ada);
    const hints = page.locator('.monaco-editor .view-line').filter({ hasText: '· lora_dropout: 0' });
    await hints.waitFor();
    await writeLine(page, 'weight_decay', 'warmup_steps: 2');
    await page.getByText('warmup_ratio and warmup_steps are both written').waitFor();
    await page.getByRole('button', { name: /^Line/ }).click();
    await page.keyboard.press('Control+.');
    await page.getByText('Remove warmup_steps', { exact: true }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByText('Ready to start').waitFor();
    await expect.poll(written).not.toContain('warmup_steps');
    await page.getByRole('checkbox', { name: 'Defaults in gray' }).uncheck();
    await hints.waitFor({ state: 'detached' });
    await page.close();
  });

  it('shows the first batches before a run is started: their rows, and the tokens that are trained', async () => {
    const page = await openRecipe(ada);
    await page.getByRole('button', { name: 'Look at them' }).click();
    const panel = page.getByRole('region', { name: 'First batches' });
    await panel.getByText('The run would have 424 steps, 53 an epoch.').waitFor();
    await panel.getByText('Step 1. 8 rows, 173 of 324 tokens trained. No padding. Room for 1,724 more.').waitFor();
    await expect.poll(() => panel.locator('[data-token]').count()).toBe(30);
    expect(await panel.locator('[data-trained]').count()).toBe(18);
    await page.keyboard.press('j');
    await panel.getByText('harbour/data/harbour.jsonl:348').waitFor();
    await panel.getByText('Batch 3').click();
    await panel.getByText(/^Step 3\./).waitFor();
    await expectAccessible(page);
    await page.reload();
    await panel.getByText(/^Step 3\./).waitFor();
    await writeLine(page, 'micro_batch_size', 'micro_batch_size: 4');
    await panel.getByText('The recipe has changed since').waitFor();
    await panel.getByRole('button', { name: 'Look again' }).click();
    await panel.getByText('The run would have 848 steps, 106 an epoch.').waitFor();
    await writeLine(page, 'micro_batch_size', 'micro_batch_size: 8');
    await lineWritten('micro_batch_size: 8');
    await page.close();
  });

  it('says what Start does as a command line, with the device and the priority that are chosen', async () => {
    const page = await openRecipe(ada);
    const command = page.locator('code').filter({ hasText: ' train ' });
    const line = async () => (await command.textContent())?.replace(/^.* train /, '');
    expect(await line()).toBe('harbour/recipe.yaml --queue');
    await page.getByRole('combobox', { name: 'Device' }).selectOption('cpu');
    await page.getByRole('combobox', { name: 'Priority' }).selectOption('low');
    await expect.poll(line).toBe('harbour/recipe.yaml --queue --priority low --set device=cpu');
    await page.close();
  });

  it('begins a recipe as one of a few', async () => {
    const page = await openRecipe(ada);
    await page.getByRole('button', { name: 'New…' }).click();
    await page.getByRole('radio', { name: /^Full fine-tuning/ }).check();
    await page.getByRole('combobox', { name: /^Model/ }).fill('harbour/model');
    await page.getByRole('combobox', { name: /^Rows/ }).fill('harbour/data/harbour.jsonl');
    await page.getByRole('textbox', { name: 'Name of the new folder' }).fill('all-weights');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('combobox', { name: 'Recipe' }).waitFor();
    await expect
      .poll(() => page.getByRole('combobox', { name: 'Recipe' }).inputValue())
      .toBe('all-weights/recipe.yaml');
    await page.getByText('Ready to start').waitFor();
    const begun = readFileSync(join(agent.workspace, 'all-weights', 'recipe.yaml'), 'utf8');
    expect(begun).toContain('\nadapter: null\n');
    expect(begun).toContain('base_model: "../harbour/model"\n');
    rmSync(join(agent.workspace, 'all-weights'), { recursive: true });
    await page.close();
  });

  it('asks before it prepares data that take long, and estimates them then', async () => {
    const folder = join(agent.workspace, 'large');
    agent.run('init', 'large');
    // A column that nobody reads makes the file large, and its rows no longer.
    const surplus = 'x'.repeat(170_000);
    const path = join(folder, 'data', 'harbour.jsonl');
    const rows = readFileSync(path, 'utf8').trim().split('\n').slice(0, 200);
    writeFileSync(path, rows.map((row) => `${JSON.stringify({ ...JSON.parse(row), surplus })}\n`).join(''));
    const page = await ada.newPage();
    said.push(watchConsole(page));
    await page.goto(`${agent.url}/recipes?recipe=large/recipe.yaml`);
    const card = page.getByRole('region', { name: 'What it takes' });
    const prepare = card.getByRole('button', { name: 'Prepare the data' });
    await prepare.waitFor({ timeout: 60_000 });
    await card.getByText('2,048').waitFor();
    await expectAccessible(page);
    await prepare.press('Enter');
    await card.locator('[data-estimate="current"]').waitFor({ timeout: 60_000 });
    await card.getByText('It fits').waitFor();
    await page.close();
    rmSync(folder, { recursive: true });
  });

  it('translates a recipe of another trainer, and says what became of each key', async () => {
    const page = await openRecipe(ada);
    await page.getByRole('button', { name: 'Import…' }).click();
    await expectAccessible(page);
    await page
      .getByRole('textbox', { name: 'Or its YAML' })
      .fill('base_model: model\ndatasets:\n  - path: rows.jsonl\n    type: alpaca\nlora_rank: 8\n');
    await page.getByRole('textbox', { name: 'Name of the new folder' }).fill('theirs');
    await page.getByRole('button', { name: 'Translate' }).click();
    await page.getByRole('row', { name: /^lora_rank not translated/ }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'To the recipe' }).click();
    await page.getByRole('combobox', { name: 'Recipe' }).waitFor();
    expect(await page.getByRole('combobox', { name: 'Recipe' }).inputValue()).toBe('theirs/recipe.yaml');
    await page.getByText(/^\d problems?$/).waitFor();
    await page.close();
  });

  it('said nothing in the console', () => {
    // But for the browser's own words about an agent that was killed.
    const lost = /WebSocket connection|net::ERR_CONNECTION/;
    expect(said.flat().filter((text) => !lost.test(text))).toEqual([]);
  });
});
