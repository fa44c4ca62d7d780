/** Models in a browser: downloaded from a hub of our own, broken off, taken up again, checked, removed. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HubStandIn, sha256, startHub } from '../packages/core/src/hub/testing/hubStandIn.ts';
import { TestAgent } from './agent.ts';
import { expectAccessible } from './page.ts';
import { PairedBrowser } from './pairedBrowser.ts';

const name = 'someone/Tiny-Model';
const starter = join(import.meta.dirname, '..', 'apps', 'agent', 'starter', 'model');
const files = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
let hub: HubStandIn;
let agent: TestAgent;
let studio: PairedBrowser;

beforeAll(async () => {
  hub = await startHub(name, Object.fromEntries(files.map((file) => [file, readFileSync(join(starter, file))])));
  agent = new TestAgent({ HF_ENDPOINT: hub.url, MODELSCOPE_DOMAIN: '127.0.0.1:9', HF_TOKEN: '' });
  await agent.start();
  studio = await PairedBrowser.open(agent);
});

afterAll(async () => {
  await studio?.browser.close();
  await agent?.end();
  agent?.remove();
  await hub?.close();
});

async function open(): Promise<Page> {
  const page = await studio.goTo('/models');
  await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor();
  return page;
}

const folder = () => join(agent.cache, 'models', ...name.split('/'), 'main');
const row = (page: Page) => page.locator(`[data-model="${name}"]`);

async function download(page: Page, model: string): Promise<void> {
  await page.getByRole('combobox', { name: 'Name' }).fill(model);
  // Before the page is connected Enter does nothing.
  const button = page.getByRole('button', { name: 'Download', exact: true });
  await expect.poll(() => button.isEnabled()).toBe(true);
  await page.keyboard.press('Enter');
}

describe('models in a browser', () => {
  it('begin with nothing, and a wrong name is said in words', async () => {
    const page = await open();
    await page.getByText('No models here yet').waitFor();
    await download(page, 'no such model');
    const error = page.getByText("is neither a model's short name nor a hub id");
    await error.waitFor();
    await page.getByRole('button', { name: 'Take off the list' }).click();
    await error.waitFor({ state: 'detached' });
    await expectAccessible(page);
    await page.close();
  });

  it('that a recipe names are not here yet, and the way to them is one click', async () => {
    agent.run('init', 'named');
    const recipe = join(agent.workspace, 'named', 'recipe.yaml');
    const named = `base_model: ${name}\nrevision: v1.0`;
    writeFileSync(recipe, readFileSync(recipe, 'utf8').replace('base_model: model', named));
    const page = await studio.goTo('/recipes?recipe=named/recipe.yaml');
    await page.getByText(`The model ${name} is not here yet.`).waitFor();
    expect(await page.getByText('Ready to start').count()).toBe(0);
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Download it' }).press('Enter');
    const field = page.getByRole('combobox', { name: 'Name' });
    await field.waitFor();
    await expect.poll(() => field.inputValue()).toBe(name);
    expect(await page.getByRole('textbox', { name: 'Revision' }).inputValue()).toBe('v1.0');
    await page.close();
    rmSync(join(agent.workspace, 'named'), { recursive: true });
  });

  it('are downloaded, broken off when asked, and taken up where they were', async () => {
    const page = await open();
    hub.answers.set('resolve/0123456789abcdef0123456789abcdef01234567/model.safetensors', (response) => {
      const bytes = readFileSync(join(starter, 'model.safetensors'));
      response.writeHead(200, { 'content-length': bytes.length, etag: `"${sha256(bytes)}"` });
      response.write(bytes.subarray(0, 500_000));
    });
    await download(page, name);
    await page
      .locator('[data-job="pull"]')
      .getByText(/^5\d\d(\.\d)? kB of/)
      .waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: /^Cancel: Download of/ }).click();
    await row(page)
      .getByText(/^Not whole/)
      .waitFor();
    expect(existsSync(folder())).toBe(false);
    hub.answers.clear();
    await row(page).getByRole('button', { name: 'Continue' }).click();
    await row(page).getByText('llama').waitFor();
    expect(hub.transfers.at(-1)?.range).toMatch(/^bytes=5\d{5}-$/);
    await row(page)
      .getByText(/Hugging Face Hub .*commit 0123456789/)
      .waitFor();
    await expectAccessible(page);
    await page.close();
  });

  it('are compared with their hashes', async () => {
    const page = await open();
    await row(page)
      .getByRole('button', { name: `Check: ${name}` })
      .click();
    await row(page).getByText('Every byte is as it came').waitFor();
    const config = join(folder(), 'config.json');
    writeFileSync(config, readFileSync(config, 'utf8').replace(/\n$/, ' \n'));
    await row(page)
      .getByRole('button', { name: `Check: ${name}` })
      .click();
    await row(page).getByText('1 file is not as it came').waitFor();
    await page.close();
  });

  it('are not removed while a run began with them, and then are', async () => {
    agent.run('init', 'project', '--model', name);
    agent.run('train', 'project/recipe.yaml', '--set', 'max_steps=1');
    const page = await open();
    const remove = row(page).getByRole('button', { name: `Remove: ${name}` });
    await row(page).getByText('1', { exact: true }).waitFor();
    await row(page)
      .getByRole('link', { name: /-project$/ })
      .waitFor();
    expect(await remove.isDisabled()).toBe(true);
    agent.run('runs', 'rm', 'latest', '--runs-dir', 'project/runs', '--for-good');
    await page.reload();
    await remove.click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
    await row(page).waitFor({ state: 'detached' });
    expect(existsSync(folder())).toBe(false);
    await page.close();
  });

  it('speak Chinese, in the dark, on a phone', async () => {
    agent.run('init', 'harbor');
    const page = await open();
    await page.evaluate(() => localStorage.setItem('anneal-locale', 'zh-CN'));
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 844 });
    await page.reload();
    await page.getByText('代理程序的文件夹中').waitFor();
    await page.locator('[data-model="harbor/model"]').waitFor();
    await expectAccessible(page);
    await expect.poll(() => page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
    await page.close();
  });

  it('said nothing in the console', () => {
    expect(studio.said.length).toBeGreaterThan(3);
    expect(studio.said.flat()).toEqual([]);
  });
});
