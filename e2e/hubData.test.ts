/** A data set of a hub of our own in a browser: asked for, told which split is meant, cancelled, gone on with, looked at. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HubStandIn, sha256, startHub } from '../packages/core/src/hub/testing/hubStandIn.ts';
import { TestAgent } from './agent.ts';
import { expectAccessible } from './page.ts';
import { PairedBrowser } from './pairedBrowser.ts';

const name = 'someone/tides';
let hub: HubStandIn;
let agent: TestAgent;
let studio: PairedBrowser;

beforeAll(async () => {
  const starter = join(import.meta.dirname, '..', 'apps', 'agent', 'starter', 'data', 'harbour.jsonl');
  const rows = readFileSync(starter);
  hub = await startHub(name, { 'data/train.jsonl': rows, 'data/test.jsonl': rows.subarray(0, rows.indexOf(10) + 1) });
  agent = new TestAgent({ HF_ENDPOINT: hub.url, MODELSCOPE_DOMAIN: '127.0.0.1:9', HF_TOKEN: '' });
  agent.run('init', 'harbour');
  await agent.start();
  studio = await PairedBrowser.open(agent);
});

afterAll(async () => {
  await studio?.browser.close();
  await agent?.end();
  agent?.remove();
  await hub?.close();
});

const panel = (page: Page) => page.getByRole('region', { name: 'Rows of a data set of a hub' });

async function ask(page: Page, field: string, text: string): Promise<void> {
  await panel(page).getByRole('textbox', { name: field }).fill(text);
  const button = panel(page).getByRole('button', { name: 'Download', exact: true });
  await expect.poll(() => button.isEnabled()).toBe(true);
  await page.keyboard.press('Enter');
}

describe('a data set of a hub in a browser', () => {
  it('is asked for as a recipe names it, by one link', async () => {
    const recipe = join(agent.workspace, 'harbour', 'recipe.yaml');
    const before = readFileSync(recipe, 'utf8');
    const rows = `path: ${name}\n    name: north\n    split: train\n    revision: v1.0`;
    writeFileSync(recipe, before.replace('path: data/harbour.jsonl', rows));
    const page = await studio.goTo('/recipes?recipe=harbour/recipe.yaml');
    await page.getByText(`The data set ${name} is not here yet.`).waitFor();
    await page.getByRole('link', { name: 'Download it' }).press('Enter');
    await panel(page).waitFor();
    const asked = { 'Data set': name, Subset: 'north', Split: 'train', Revision: 'v1.0', Files: '' };
    for (const [field, text] of Object.entries(asked)) {
      const box = panel(page).getByRole('textbox', { name: field, exact: true });
      await expect.poll(() => box.inputValue()).toBe(text);
    }
    await expectAccessible(page);
    await page.close();
    writeFileSync(recipe, before);
  });

  it('says which split has to be named, is cancelled, goes on where it was, and shows its rows', async () => {
    const page = await studio.goTo('/data');
    await page.getByRole('button', { name: 'From a hub' }).click();
    await panel(page).getByText('No data set of a hub was downloaded yet.').waitFor();
    await expectAccessible(page);
    await ask(page, 'Data set', name);
    await panel(page).getByText('say which one with split: ').waitFor();
    hub.answers.set('data/train.jsonl', (response) => {
      const bytes = hub.files.get('data/train.jsonl') as Buffer;
      response.writeHead(200, { 'content-length': bytes.length, etag: `"${sha256(bytes)}"` });
      response.write(bytes.subarray(0, 5000));
    });
    await ask(page, 'Split', 'train');
    await panel(page)
      .getByText(/^5[.\d]* kB of/)
      .waitFor();
    await panel(page).getByText('say which one').waitFor({ state: 'detached' });
    await expectAccessible(page);
    await panel(page)
      .getByRole('button', { name: /^Cancel: Download of/ })
      .click();
    await panel(page)
      .getByText(/^Not whole: 5[.\d]* kB have arrived/)
      .waitFor();
    hub.answers.clear();
    await panel(page)
      .getByRole('button', { name: `Continue: ${name} (train)` })
      .click();
    await page.waitForURL(/hub=someone.*tides/);
    expect(hub.transfers.at(-1)?.range).toBe('bytes=5000-');
    await panel(page).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'All 469' }).waitFor({ timeout: 60_000 });
    await page.getByRole('table', { name: 'Rows' }).getByText('Who are you?').first().waitFor();
    await page.reload();
    await page.getByRole('table', { name: 'Rows' }).getByText('Who are you?').first().waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'From a hub' }).click();
    await panel(page).getByText(/mit/).waitFor();
    await expectAccessible(page);
    await page.close();
  });

  it('speaks Chinese, in the dark, on a phone', async () => {
    const page = await studio.goTo('/data');
    await page.evaluate(() => localStorage.setItem('anneal-locale', 'zh-CN'));
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 844 });
    await page.reload();
    await page.getByRole('button', { name: '从 Hub 下载' }).click();
    await page.getByRole('button', { name: `打开：${name} (train)` }).waitFor();
    await expectAccessible(page);
    await expect.poll(() => page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
    await page.close();
  });

  it('said nothing in the console', () => {
    expect(studio.said.flat()).toEqual([]);
  });
});
