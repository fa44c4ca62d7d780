/** What somebody new does after `npm start`: from the rows to a tuned model that was exported, along the first steps. */
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestAgent } from './agent.ts';
import { openBrowser } from './browser.ts';
import { expectAccessible, watchConsole } from './page.ts';

const agent = new TestAgent();
let browser: Browser;
let page: Page;
let said: string[];

beforeAll(async () => {
  await agent.start(join(import.meta.dirname, '..', 'scripts', 'start.ts'), join(agent.workspace, 'projects'));
  browser = await openBrowser();
  page = await browser.newPage({ locale: 'en-US', viewport: { width: 1280, height: 900 } });
  said = watchConsole(page);
});

afterAll(async () => {
  await browser?.close();
  await agent.end();
  agent.remove();
});

const steps = () => page.getByRole('region', { name: 'First steps' });
const follow = (name: string) => steps().getByRole('link', { name, exact: true }).press('Enter');
const isHere = (name: string) => steps().locator('[aria-current="step"]').filter({ hasText: name }).waitFor();

it('leads from the rows to a tuned model that is exported, by the keyboard', { timeout: 180_000 }, async () => {
  await page.goto(agent.link);
  await page.waitForURL(`${agent.url}/`);
  await steps().getByText('Rows as the model will see them').waitFor();
  // There is nothing to talk to yet.
  expect(await steps().getByRole('link').allInnerTexts()).toEqual(['Look at the data', 'Check the recipe']);
  await expectAccessible(page);

  await follow('Look at the data');
  await isHere('Look at the data');
  await page.getByText('Kept').first().waitFor();
  await follow('Check the recipe');
  await page.getByText('Ready to start').waitFor();
  await page.getByRole('button', { name: 'Start training' }).press('Enter');
  await page.waitForURL('**/run?id=*');
  await isHere('Train');
  await page.locator('article [data-state="finished"]').first().waitFor({ timeout: 120_000 });
  await expectAccessible(page);

  await follow('Chat');
  await isHere('Chat');
  await page.getByRole('textbox', { name: 'Question', exact: true }).fill('When does the ferry leave?');
  await page.keyboard.press('Enter');
  await page.locator('[data-answer="done"]').nth(1).waitFor({ timeout: 60_000 });
  await follow('Export');
  await isHere('Export');
  const begin = page.getByRole('button', { name: 'Export', exact: true });
  await begin.waitFor();
  await expect.poll(() => page.getByRole('tab', { name: 'Export' }).evaluate(isOnScreen)).toBe(true);
  await begin.press('Enter');
  await page
    .getByRole('link', { name: /^Download/ })
    .first()
    .waitFor({ timeout: 60_000 });
  await expectAccessible(page);
});

it('is gone for good once it is closed', async () => {
  await steps().getByRole('button', { name: 'Close the first steps' }).press('Enter');
  await steps().waitFor({ state: 'detached' });
  await page.goto(agent.url);
  await page.getByRole('link', { name: /starter/ }).waitFor();
  expect(await steps().count()).toBe(0);
});

it('is not shown to a browser that comes where others have trained', async () => {
  const [, link = ''] = /(http\S+)/.exec(agent.run('pair', join(agent.workspace, 'projects'))) ?? [];
  const context = await browser.newContext({ locale: 'en-US' });
  const other = await context.newPage();
  await other.goto(link);
  await other.getByRole('link', { name: /starter/ }).waitFor();
  expect(await other.getByRole('region', { name: 'First steps' }).count()).toBe(0);
  expect(said).toEqual([]);
});

function isOnScreen(element: unknown): boolean {
  const { top, bottom } = (
    element as { getBoundingClientRect(): { top: number; bottom: number } }
  ).getBoundingClientRect();
  return top >= 0 && bottom <= (globalThis as unknown as { innerHeight: number }).innerHeight;
}
