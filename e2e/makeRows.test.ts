/** Rows made in a browser: an admin names an endpoint, a recipe is written, its rows are made and looked at. */
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgent } from './agent.ts';
import { expectAccessible } from './page.ts';
import { PairedBrowser } from './pairedBrowser.ts';

const pairs = [
  { question: 'Who keeps the lamp of the lighthouse?', answer: 'Bram keeps it, as his father did.' },
  { question: 'Why?', answer: 'A question of so few letters is left out.' },
];
/** What it waits for before it answers. */
let gate: Promise<void> = Promise.resolve();
let asked: (string | undefined)[] = [];
let endpoint: Server;
let url: string;
let agent: TestAgent;
let studio: PairedBrowser;

beforeAll(async () => {
  endpoint = createServer(async (request, response) => {
    asked.push(request.headers.authorization);
    await gate;
    const message = { role: 'assistant', content: JSON.stringify(pairs) };
    const body = { choices: [{ finish_reason: 'stop', message }] };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/v1`;
  agent = new TestAgent();
  agent.run('init', 'harbour');
  await agent.start();
  studio = await PairedBrowser.open(agent);
});

afterAll(async () => {
  await studio?.browser.close();
  await agent?.end();
  agent?.remove();
  endpoint?.closeAllConnections();
  endpoint?.close();
});

const panel = (page: Page) => page.getByRole('region', { name: 'Make rows by asking a model' });

describe('rows made in a browser', () => {
  it('an endpoint is named in the settings, and its key is never shown again', async () => {
    const page = await studio.goTo('/settings');
    const card = page.getByRole('region', { name: 'Whom rows are asked of' });
    await card.getByRole('textbox', { name: 'Name' }).fill('stand-in');
    await card.getByRole('textbox', { name: 'Address' }).fill(url);
    await card.getByLabel('API key').fill('sk-of-harbour-1234');
    await card.getByRole('button', { name: 'Keep' }).click();
    await card.getByText('key …1234').waitFor();
    expect(await page.content()).not.toContain('sk-of-harbour');
    await expectAccessible(page);
    await page.close();
  });

  it('a recipe is written, estimated, cancelled, gone on with; what was left out is said, and the rows are data', async () => {
    const page = await studio.goTo('/data');
    await page.getByRole('button', { name: 'Make rows' }).click();
    await panel(page).getByRole('textbox', { name: 'New recipe' }).fill('harbour/questions.yaml');
    const text = panel(page).getByRole('textbox', { name: 'The recipe as text' });
    await panel(page).getByText(`The agent may ask: ${url} (stand-in)`).waitFor();
    const recipe = `endpoint: {url: ${url}, model: small}\nsources: [{path: notes.md}]\noutput: data/made.jsonl\n`;
    const write = async (written: string) => {
      await text.focus();
      await page.keyboard.press('Control+A');
      await page.keyboard.insertText(written);
    };
    await write(recipe.replace('sources', 'source'));
    await panel(page).getByText('unknown key source').waitFor();
    await panel(page).getByRole('button', { name: 'Line 2' }).first().click();
    await page.locator('.squiggly-error').first().waitFor();
    await expectAccessible(page);
    await write('endp');
    await page.keyboard.press('Control+Space');
    await page.locator('.suggest-widget .monaco-list-row').getByText('endpoint').first().waitFor();
    await page.keyboard.press('Escape');
    await write(recipe);
    await panel(page).getByText('notes.md').first().waitFor();
    await panel(page).getByRole('button', { name: 'Save the recipe' }).click();
    await panel(page).getByRole('combobox', { name: 'Recipe' }).waitFor();
    await panel(page).getByRole('button', { name: 'What it takes' }).click();
    await panel(page).getByRole('alert').getByText('/harbour/notes.md').waitFor();
    await expectAccessible(page);
    writeFileSync(join(agent.workspace, 'harbour', 'notes.md'), 'Bram keeps the lamp, as his father did.');
    await panel(page).getByRole('button', { name: 'What it takes' }).click();
    await panel(page)
      .getByText(/tokens sent, at most .* answered/)
      .waitFor();
    expect(asked).toEqual([]);
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    await panel(page).getByRole('button', { name: 'Make the rows' }).click();
    await panel(page).getByText('0 of 1 answered').waitFor();
    await expectAccessible(page);
    await panel(page)
      .getByRole('button', { name: /^Cancel: Rows of/ })
      .click();
    await panel(page).getByText('Stopped.').waitFor();
    resolve();
    asked = [];
    await panel(page).getByRole('button', { name: 'Go on' }).click();
    await panel(page).getByText('1 row in harbour/data/made.jsonl').waitFor();
    expect(asked).toEqual(['Bearer sk-of-harbour-1234']);
    await panel(page).getByText('1 left out: 1 too_short').click();
    await panel(page).getByText('Why?').waitFor();
    await expectAccessible(page);
    await panel(page).getByRole('button', { name: 'Look at them' }).click();
    await page.waitForURL(/file=harbour.*made/);
    await page.getByRole('table', { name: 'Rows' }).getByText('Who keeps the lamp').waitFor({ timeout: 60_000 });
    await page.close();
  });

  it('speaks Chinese, in the dark, on a phone', async () => {
    const page = await studio.goTo('/data');
    await page.evaluate(() => localStorage.setItem('anneal-locale', 'zh-CN'));
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 844 });
    await page.reload();
    await page.getByRole('button', { name: '生成数据' }).click();
    await page.getByText('1 行').first().waitFor();
    await expectAccessible(page);
    await expect.poll(() => page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
    await page.goto(`${agent.url}/settings`);
    await page.getByText('生成数据时询问的接口').waitFor();
    await expectAccessible(page);
    await page.close();
  });

  it('said nothing in the console', () => {
    expect(studio.said.flat()).toEqual([]);
  });
});
