/** Talking to a run in a browser: the tuned starter model beside what it began with. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgent } from './agent.ts';
import { expectAccessible, watchConsole } from './page.ts';
import { PairedBrowser } from './pairedBrowser.ts';

const agent = new TestAgent();
let studio: PairedBrowser;

beforeAll(async () => {
  agent.run('init', 'harbour');
  agent.run('train', 'harbour/recipe.yaml', '--set', 'max_steps=100', '--set', 'warmup_ratio=0');
  await agent.start();
  studio = await PairedBrowser.open(agent);
});

afterAll(async () => {
  await studio?.browser.close();
  await agent.end();
  agent.remove();
});

const open = (path: string): Promise<Page> => studio.goTo(path);

const runKey = (): string => `harbour/runs/${readdirSync(join(agent.workspace, 'harbour', 'runs')).at(-1)}`;
const question = (page: Page) => page.getByRole('textbox', { name: 'Question', exact: true });
const answers = (page: Page) => page.locator('[data-answer]');
const done = (page: Page, count: number) =>
  expect.poll(() => page.locator('[data-answer="done"]').count(), { timeout: 30_000 }).toBe(count);

/** What the columns say, without figures. */
async function textsOf(page: Page): Promise<string[]> {
  return (await answers(page).all()).reduce<Promise<string[]>>(
    async (texts, column) => [...(await texts), await column.locator('[data-said]').innerText()],
    Promise.resolve([]),
  );
}

let conversation: string;

describe('chat in a browser', () => {
  it('is one link away from a run, and answers tuned and untuned side by side', async () => {
    const page = await open(`/run?id=${encodeURIComponent(runKey())}`);
    await page.getByRole('article').getByRole('link', { name: 'Chat' }).click();
    await page.getByText('Ask something', { exact: true }).waitFor();
    await page
      .getByText(/MB of .* free/)
      .first()
      .waitFor({ timeout: 30_000 });
    await expectAccessible(page);
    await question(page).fill('Who are you?');
    await page.keyboard.press('Enter');
    await done(page, 2);
    conversation = new URL(page.url()).searchParams.get('id') as string;
    const [tuned, untuned] = await textsOf(page);
    expect(tuned).toMatch(/^Aye/);
    expect(untuned).not.toMatch(/^Aye/);
    expect(await page.locator('mark').count()).toBe(2);
    await page
      .getByText(/tokens\/s/)
      .first()
      .waitFor();
    await page
      .getByText(/^Loaded/)
      .first()
      .waitFor();
    await expectAccessible(page);
    await page.close();
  });

  it('goes through the checkpoints of the run with the same question, each asked once', async () => {
    const page = await open(`/chat?id=${conversation}`);
    await done(page, 2);
    const [, untuned] = await textsOf(page);
    await page.getByText('Through the checkpoints').click();
    const slider = page.getByRole('slider', { name: /^The same question and seed/ });
    await slider.focus();
    await page.keyboard.press('Home');
    const panel = page.locator('[data-checkpoints]');
    await expect.poll(() => panel.locator('[data-said]').innerText()).toBe(untuned);
    await page.keyboard.press('ArrowRight');
    await panel.getByText('step 53', { exact: true }).waitFor();
    await panel.locator('[data-answer="done"]').waitFor({ timeout: 30_000 });
    const between = await panel.locator('[data-said]').innerText();
    expect(between).not.toBe(untuned);
    await expectAccessible(page);
    await page.reload();
    await page.getByText('Through the checkpoints').click();
    await slider.focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => panel.locator('[data-said]').innerText()).toBe(between);
    await page.close();
  });

  it('saves an answer as a row of a data set, as it should have been', async () => {
    const page = await open(`/chat?id=${conversation}`);
    await done(page, 2);
    await page.getByRole('button', { name: 'Save as a row of a data set' }).first().click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByLabel('Question').inputValue()).toBe('Who are you?');
    await dialog.getByLabel('Answer').fill('Bram, and I keep this harbour.');
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Save as a new version' }).click();
    await dialog.getByText('The new version is').waitFor();
    const version = join(agent.workspace, 'harbour', 'data', 'versions', 'harbour.v2.jsonl');
    expect(JSON.parse(readFileSync(version, 'utf8').trimEnd().split('\n').at(-1) as string)).toEqual({
      messages: [
        { role: 'user', content: 'Who are you?' },
        { role: 'assistant', content: 'Bram, and I keep this harbour.' },
      ],
    });
    await page.close();
  });

  it('keeps settings under a name', async () => {
    const page = await open('/chat');
    const settings = page.getByRole('button', { name: /^Settings/ });
    await settings.click();
    await page.getByRole('textbox', { name: 'System prompt' }).fill('Answer in one word.');
    await page.getByRole('radio', { name: 'Exact' }).click();
    await page.getByRole('textbox', { name: 'Save these settings as' }).fill('terse');
    await page.keyboard.press('Enter');
    await page.getByRole('combobox', { name: 'Saved settings' }).waitFor();
    await expectAccessible(page);
    await page.reload();
    await settings.click();
    await page.getByRole('combobox', { name: 'Saved settings' }).selectOption('terse');
    expect(await page.getByRole('textbox', { name: 'System prompt' }).inputValue()).toBe('Answer in one word.');
    await page.getByRole('button', { name: 'Delete “terse”' }).click();
    await page.getByRole('combobox', { name: 'Saved settings' }).waitFor({ state: 'detached' });
    await page.close();
  });

  it('shows the tokens with what else could have been said, by keyboard, too', async () => {
    const page = await open(`/chat?id=${conversation}&view=tokens`);
    const tokens = page.getByRole('listbox').first();
    await tokens.waitFor();
    expect((await tokens.innerText()).replaceAll(/[␣⏎\n]/g, '')).toContain('Aye');
    await page.getByText('Here the answers part').first().waitFor();
    await tokens.focus();
    await page.keyboard.press('ArrowRight');
    await page
      .getByText(/^Token 2, id/)
      .first()
      .waitFor();
    await expectAccessible(page);
    await page.getByRole('radio', { name: 'As written' }).click();
    await tokens.waitFor({ state: 'detached' });
    await page.close();
  });

  it('goes on when the tab is closed, catches up, and stops when asked', async () => {
    const page = await open(`/chat?id=${conversation}`);
    await done(page, 2);
    await page.getByRole('button', { name: /^Settings/ }).click();
    // Any token is as likely then, and the one that ends an answer hardly ever comes.
    await page.getByRole('spinbutton', { name: 'Temperature' }).fill('100');
    await page.getByRole('spinbutton', { name: 'Most tokens' }).fill('4000');
    await page.keyboard.press('Escape');
    await page.locator('button:focus', { hasText: 'Settings' }).waitFor(); // the closed panel has given the focus back
    await question(page).fill('Tell me all of it.');
    await question(page).press('Enter');
    await expect.poll(() => answers(page).count(), { timeout: 30_000 }).toBe(4);
    await page.close();
    const again = await open(`/chat?id=${conversation}`);
    await expect.poll(() => answers(again).count(), { timeout: 30_000 }).toBe(4);
    await again.keyboard.press('Escape');
    await again.getByRole('button', { name: 'Answer again' }).waitFor({ timeout: 30_000 });
    const before = await textsOf(again);
    expect(before.every((text) => text.length > 0)).toBe(true);
    await again.reload();
    await expect.poll(() => answers(again).count(), { timeout: 30_000 }).toBe(4);
    await expect.poll(() => textsOf(again), { timeout: 30_000 }).toEqual(before);
    await again.close();
  });

  it('answers a question that was edited instead of what came after it, with another seed when asked', async () => {
    const page = await open(`/chat?id=${conversation}`);
    await expect.poll(() => answers(page).count(), { timeout: 30_000 }).toBe(4);
    await page.getByRole('button', { name: /^Settings/ }).click();
    await page.getByRole('radio', { name: 'Exact' }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('article', { name: 'Question 1' }).getByRole('button', { name: 'Edit the question' }).click();
    const edited = page.getByRole('textbox', { name: 'Edit the question' });
    await page.getByText('The question after it goes.').waitFor();
    await edited.fill('When does the ferry leave?');
    await page.getByRole('button', { name: 'Ask again' }).click();
    await done(page, 2);
    await page.getByText('When does the ferry leave?').first().waitFor();
    await answers(page).first().getByText('seed 3407').waitFor();
    await page.getByRole('button', { name: 'Answer again' }).click();
    await answers(page).first().getByText('seed 3408').waitFor();
    await done(page, 2);
    await page.close();
  });

  it('compares checkpoints, three at once', async () => {
    const page = await open('/chat');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    const checkpoint = page.getByRole('combobox', { name: 'Checkpoint of model 3' });
    await checkpoint.waitFor();
    expect(await checkpoint.inputValue()).toMatch(/^\d+$/);
    const long = 'Who are you, what do you keep, and for whom do you keep it through all of the winter?';
    await question(page).fill(long);
    await page.keyboard.press('Enter');
    await done(page, 3);
    // However long its title: what deletes a conversation stays in reach.
    const list = await page.getByRole('complementary').boundingBox();
    const remove = await page.getByRole('button', { name: `Delete “${long.slice(0, 80)}` }).boundingBox();
    expect((remove?.x ?? 0) + (remove?.width ?? 0)).toBeLessThanOrEqual((list?.x ?? 0) + (list?.width ?? 0));
    await expectAccessible(page);
    await page.close();
  });

  it('deletes a conversation, and brings it back', async () => {
    const page = await open(`/chat?id=${conversation}`);
    const item = page.getByRole('complementary').getByRole('link', { name: /ferry/ });
    await item.hover();
    await page.getByRole('button', { name: /^Delete “When does the ferry/ }).click();
    await page.getByText(/^Deleted:/).waitFor();
    await item.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await item.waitFor();
    await done(page, 2);
    await page.close();
  });

  it('keeps its conversations when the agent is started again', async () => {
    await agent.end('SIGKILL');
    await agent.start();
    const page = await open(`/chat?id=${conversation}`);
    await done(page, 2);
    await question(page).fill('Who are you?');
    await page.keyboard.press('Enter');
    await done(page, 4);
    await page.close();
  });

  it('speaks Chinese, on a phone and in the dark', async () => {
    const phone = await studio.browser.newContext({
      ...(await studio.context.storageState().then((storageState) => ({ storageState }))),
      viewport: { width: 390, height: 844 },
      locale: 'zh-CN',
      colorScheme: 'dark',
    });
    const page = await phone.newPage();
    studio.said.push(watchConsole(page));
    await page.goto(`${agent.url}/chat?id=${conversation}`);
    await page.getByRole('heading', { name: '对话', level: 1 }).waitFor();
    await done(page, 4);
    await page.getByRole('button', { name: '历史对话' }).click();
    await page.getByRole('complementary', { name: '历史对话' }).getByRole('link').first().waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await expectAccessible(page);
    await phone.close();
  });

  it('said nothing in the console', () => {
    expect(studio.said.length).toBeGreaterThan(5);
    expect(studio.said.flat()).toEqual([]);
  });
});
