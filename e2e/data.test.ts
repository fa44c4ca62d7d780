/** The data of a recipe in a browser: the list, one row token by token, and the way from problem to problem. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgent } from './agent.ts';
import { expectAccessible, watchConsole } from './page.ts';
import { PairedBrowser } from './pairedBrowser.ts';

const agent = new TestAgent();
let studio: PairedBrowser;

const message = (role: string, content: string) => ({ role, content });
const long = {
  messages: [message('user', 'Tell me of the tides.'), message('assistant', 'The tide rises. '.repeat(90))],
};
const silent = { messages: [message('user', 'Hello?'), message('assistant', '')] };

beforeAll(async () => {
  agent.run('init', 'harbour');
  const path = join(agent.workspace, 'harbour', 'data', 'harbour.jsonl');
  const rows = readFileSync(path, 'utf8').trimEnd().split('\n');
  rows.splice(39, 0, JSON.stringify(long));
  rows.splice(299, 0, JSON.stringify(silent));
  writeFileSync(path, `${rows.join('\n')}\n`);
  await agent.start();
  studio = await PairedBrowser.open(agent);
});

afterAll(async () => {
  await studio?.browser.close();
  await agent.end();
  agent.remove();
});

const open = (path: string): Promise<Page> => studio.goTo(path);

const row = (page: Page, number: number) => page.getByRole('heading', { name: `Row ${number} of 471` }).waitFor();
const judged = (page: Page) => page.getByRole('button', { name: 'Problems 2' }).waitFor({ timeout: 30_000 });

/** How many tokens of it are chosen. */
const chosen = (list: Locator) => list.getByRole('option', { selected: true }).count();

describe('the data in a browser', () => {
  it('are reached from the recipe, with a verdict for each row', async () => {
    const page = await open('/recipes');
    await page.getByRole('main').getByRole('link', { name: 'Look at the data' }).click();
    await page.waitForURL('**/data?recipe=harbour%2Frecipe.yaml');
    await page.getByRole('link', { name: '1', exact: true }).waitFor({ timeout: 30_000 });
    await judged(page);
    await page.getByRole('table', { name: 'Rows' }).getByText('Who are you?').first().waitFor();
    await expectAccessible(page);
    await page.close();
  });

  it('a planted problem is found by N, the next one too, and a reload keeps the view', async () => {
    const page = await open('/data');
    await judged(page);
    await page.keyboard.press('n');
    await row(page, 40);
    await page.getByText('sequence_len is 256').waitFor();
    expect(await page.locator('[data-trained]').count()).toBe(0);
    await page.keyboard.press('n');
    await row(page, 300);
    await page.getByText('message 2 (assistant) says nothing').waitFor();
    await page.keyboard.press('n');
    await page.getByText('No problem after this row.').waitFor();
    await page.reload();
    await row(page, 300);
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await page.getByRole('table').waitFor();
    // The list is where it was left.
    await page.getByRole('link', { name: '300', exact: true }).waitFor();
    await page.close();
  });

  it('a verdict is a filter, which stands in the address, and its rows are a file', async () => {
    const page = await open('/data');
    await page.getByRole('button', { name: 'Too long 1' }).click();
    await page.waitForURL(/verdict=too_long/);
    await page.getByRole('table').getByText('Tell me of the tides.').waitFor();
    expect(await page.locator('[data-index]').count()).toBe(1);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download these rows' }).click(),
    ]);
    const [line, ...rest] = readFileSync(await download.path(), 'utf8')
      .trimEnd()
      .split('\n');
    expect(rest).toEqual([]);
    expect(JSON.parse(line as string)).toMatchObject({
      number: 40,
      row: 40,
      verdict: { kind: 'dropped', reason: 'too_long' },
      value: long,
    });
    await page.reload();
    await page.getByRole('table').getByText('Tell me of the tides.').waitFor();
    await page.close();
  });

  it('shows each token with its reason, by pointer and by keyboard, in three forms', async () => {
    const page = await open('/data?row=2');
    await page.getByText('14 of 28 tokens are trained').waitFor({ timeout: 30_000 });
    expect(await page.locator('[data-trained]').count()).toBe(14);
    expect(await page.locator('[data-trained]').allInnerTexts()).toContain('Aye');
    await page.locator('[data-token="14"]').hover();
    await page.getByText('It is part of an answer').waitFor();
    await page.getByRole('listbox').focus();
    await page.mouse.move(0, 0);
    await page.keyboard.press('ArrowRight');
    await page.getByText('Token 1 of 28').waitFor();
    await page.getByText('is not in roles_to_train').waitFor();
    await expectAccessible(page);
    await page.getByRole('radio', { name: 'Ids' }).click();
    expect(await page.locator('[data-token="0"]').innerText()).toBe('1');
    await page.getByRole('radio', { name: 'Tokens' }).click();
    await page.waitForURL(/show=tokens/);
    await page.reload();
    await page.locator('[data-token="3"]').waitFor();
    expect(await page.locator('[data-token="3"]').innerText()).toBe('What');
    expect(await page.locator('[data-token="4"]').innerText()).toBe('·is');
    await page.getByText('Token 1 of 28').waitFor();
    await expectAccessible(page);
    await page.close();
  });

  it('shows a row beside how another template reads it, with what differs marked, and keeps it in the address', async () => {
    const page = await open('/data?row=2');
    await page.getByText('14 of 28 tokens are trained').waitFor({ timeout: 30_000 });
    await page.getByRole('combobox', { name: 'template' }).selectOption('alpaca');
    await page.waitForURL(/template=alpaca/);
    const other = page.getByRole('region', { name: 'Read otherwise' });
    await other.getByText(/\d+ differ/).waitFor();
    await other.getByText('Response').first().waitFor();
    expect(await other.locator('[data-differs]').count()).toBeGreaterThan(0);
    await other.locator('[data-trained]').first().hover();
    await page.getByText('It is part of an answer').waitFor();
    // A token of the other reading is chosen, too: it stays when the pointer is elsewhere.
    await other.locator('[data-trained]').first().click();
    const mine = page.getByRole('listbox', { name: 'Tokens of this row' });
    await page.getByRole('combobox', { name: 'template' }).hover();
    await page.getByText('It is part of an answer').waitFor();
    expect([await chosen(mine), await chosen(other)]).toEqual([0, 1]);
    await mine.getByRole('option').first().click();
    expect([await chosen(mine), await chosen(other)]).toEqual([1, 0]);
    await expectAccessible(page);
    await page.reload();
    await page.getByRole('combobox', { name: 'tokenizer of' }).selectOption('harbour/model');
    await page.getByRole('combobox', { name: 'template' }).selectOption('as here');
    await other.getByText('none differs').waitFor();
    await page.close();
  });

  it('goes from row to row by keyboard alone, in the list and from one row to the next', async () => {
    const page = await open('/data');
    await judged(page);
    await page.getByRole('link', { name: '1', exact: true }).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('End');
    await page.getByRole('link', { name: '471', exact: true }).waitFor();
    await expect.poll(() => page.evaluate('document.activeElement?.textContent')).toBe('471');
    await page.keyboard.press('Enter');
    await row(page, 471);
    await page.keyboard.press('k');
    await row(page, 470);
    await page.keyboard.press('j');
    await row(page, 471);
    await page.keyboard.press('j');
    await page.getByText('There is no further row.').waitFor();
    await page.close();
  });

  it('finds the rows that hold a text, and keeps the search in the address', async () => {
    const page = await open('/data');
    await judged(page);
    await page.getByRole('searchbox', { name: 'Search in the rows' }).fill('of the TIDES');
    await page.getByText('1 of 471 rows found').waitFor();
    await page.getByRole('table').getByText('Tell me of the tides.').waitFor();
    await page.getByRole('button', { name: 'Kept 469' }).click();
    await page.getByText('No such row').waitFor();
    await page.getByRole('button', { name: 'All 471' }).click();
    // The address follows a moment later, and is what is loaded again.
    await expect.poll(() => page.url()).not.toContain('verdict=kept');
    await page.reload();
    await page.getByText('1 of 471 rows found').waitFor({ timeout: 30_000 });
    await page.getByRole('table').getByText('Tell me of the tides.').waitFor();
    await expectAccessible(page);
    await page.close();
  });

  it('says what another sequence_len would lose', async () => {
    const page = await open('/data?length=20');
    const card = page.getByRole('region', { name: 'Length of the rows' });
    await card.getByText('as in the recipe: 256').waitFor({ timeout: 30_000 });
    const slider = card.getByRole('slider');
    await slider.focus();
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => new URL(page.url()).searchParams.get('length')).not.toBe('20');
    await card.getByRole('button', { name: 'as in the recipe: 256' }).click();
    await card.getByText(/^1 \(/).waitFor();
    await page.close();
  });

  it('says how the rows pack, which are alike, and that training would refuse them', async () => {
    const page = await open('/data');
    await judged(page);
    const card = page.getByRole('region', { name: 'All rows together' });
    await card.getByRole('button', { name: 'Examine' }).click();
    await card.getByText('Training would refuse these data').waitFor({ timeout: 30_000 });
    await card.getByText(/pairs among 4\d\d/).waitFor();
    await expectAccessible(page);
    await page.close();
  });

  it('a file is looked at without a recipe, with the model of one', async () => {
    const page = await open('/data');
    await page.getByRole('combobox', { name: 'Data of' }).selectOption('file harbour/data/harbour.jsonl');
    await page.waitForURL(/[?waitForURL('**/data?file=*')]file=/);
    await page.getByRole('link', { name: '1', exact: true }).waitFor({ timeout: 30_000 });
    await page.close();
  });

  it('a file of this computer is sent to the agent and looked at, over none that is there', async () => {
    const page = await open('/data');
    await judged(page);
    const file = { name: 'mine.jsonl', mimeType: 'text/plain', buffer: Buffer.from(`${JSON.stringify(long)}\n`) };
    await page.getByLabel('Upload a file').first().setInputFiles(file);
    await page.waitForURL(/[?&]file=harbour\/data\/mine\.jsonl/);
    await page.getByRole('table').getByText('Tell me of the tides.').waitFor({ timeout: 30_000 });
    expect(readFileSync(join(agent.workspace, 'harbour', 'data', 'mine.jsonl'), 'utf8')).toBe(file.buffer.toString());
    studio.said.pop(); // the browser tells of the refusal
    await page.getByLabel('Upload a file').first().setInputFiles(file);
    await page.getByText('there is a file of this name already').waitFor();
    await expectAccessible(page);
    await page.close();
  });

  it('what cannot be opened says why', async () => {
    const page = await open('/data?recipe=gone.yaml');
    await page.getByText('there is no such recipe').waitFor({ timeout: 30_000 });
    await page.getByRole('button', { name: 'Open again' }).waitFor();
    await page.close();
  });

  it('columns that are not known are proposed, can be chosen otherwise, and go into a recipe', async () => {
    const rows =
      'User Question,expert_answer,note\nWhy does it rain?,Because clouds cool.,a\nWhat is fog?,A low cloud.,b\n';
    writeFileSync(join(agent.workspace, 'harbour', 'data', 'weather.csv'), rows);
    const page = await open('/data?file=harbour%2Fdata%2Fweather.csv');
    await page.getByText('This is a proposal by their names and contents').waitFor();
    const table = page.getByRole('table', { name: 'Rows' });
    await table.getByText('Because clouds cool.').first().waitFor({ timeout: 30_000 });
    expect(await page.getByRole('combobox', { name: 'Answer' }).inputValue()).toBe('expert_answer');
    await expectAccessible(page);
    await page.getByRole('combobox', { name: 'Answer' }).selectOption('note');
    await table.getByText('Because clouds cool.').first().waitFor({ state: 'detached', timeout: 30_000 });
    await page.getByRole('combobox', { name: 'Answer' }).selectOption('expert_answer');
    const recipe = join(agent.workspace, 'harbour', 'recipe.yaml');
    const before = readFileSync(recipe, 'utf8');
    await page.getByRole('button', { name: 'Add to the recipe' }).click();
    await page.getByText('It is in the recipe.').waitFor();
    expect(readFileSync(recipe, 'utf8')).toContain(
      '  - {path: data/weather.csv, type: alpaca, field_instruction: User Question, field_output: expert_answer}\n',
    );
    writeFileSync(recipe, before);
    await page.close();
    const other = await open('/data?file=harbour%2Fdata%2Fweather.csv&mapping=datasets.0.path%3D%2Fetc%2Fpasswd');
    await other.getByText('this does not say how the rows of a file are read').waitFor();
    await other.close();
  });

  it('speaks Chinese, in the dark, on a phone', async () => {
    const state = await studio.context.storageState();
    const phone = await studio.browser.newContext({
      storageState: state,
      viewport: { width: 390, height: 844 },
      locale: 'zh-CN',
      colorScheme: 'dark',
    });
    const page = await phone.newPage();
    studio.said.push(watchConsole(page));
    await page.goto(`${agent.url}/data?row=2`);
    await page.getByText('28 个词元中有 14 个参与训练').waitFor({ timeout: 30_000 });
    await expectAccessible(page);
    await page.getByRole('link', { name: '所有行' }).click();
    await page.getByRole('table', { name: '数据行' }).waitFor();
    await expectAccessible(page);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    await phone.close();
  });

  it('reaches the last row of more than a browser can scroll, and moves by single rows everywhere', async () => {
    const lines = Array.from({ length: 250_000 }, (_, i) => `${i + 1}`);
    writeFileSync(join(agent.workspace, 'harbour', 'data', 'log.txt'), lines.join('\n'));
    const page = await open('/data?file=harbour/data/log.txt');
    const link = (text: string) => page.getByRole('link', { name: text, exact: true }).waitFor({ timeout: 30_000 });
    await link('1');
    await page.keyboard.press('j');
    await page.keyboard.press('End');
    await link('250,000');
    const list = page.getByRole('rowgroup').nth(1);
    await list.evaluate((element) => {
      element.scrollTop = element.scrollHeight / 2;
    });
    const first = async () =>
      Number((await page.locator('[data-index]').first().innerText({ timeout: 10_000 })).replaceAll(',', ''));
    await expect.poll(first, { timeout: 10_000 }).toBeGreaterThan(100_000);
    await expect.poll(first, { timeout: 10_000 }).toBeLessThan(150_000);
    // The scrolling has come to rest, and goes on from there by pixels.
    await page.waitForTimeout(300);
    const before = await first();
    await list.hover();
    await page.mouse.wheel(0, 340);
    await expect.poll(first, { timeout: 10_000 }).toBe(before + 10);
    await page.close();
  });

  it('said nothing in the console', () => {
    expect(studio.said.length).toBeGreaterThan(5);
    expect(studio.said.flat()).toEqual([]);
  });
});
