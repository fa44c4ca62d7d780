/** From a run to a file that answers as it does: exported in the browser, compared, pushed to a hub of our own, downloaded in two parts. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HubStandIn, startHub } from '../packages/core/src/hub/testing/hubStandIn.ts';
import { TestAgent } from './agent.ts';
import { expectAccessible } from './page.ts';
import { PairedBrowser } from './pairedBrowser.ts';

let agent: TestAgent;
let hub: HubStandIn;
let studio: PairedBrowser;
let run: string;

beforeAll(async () => {
  hub = await startHub('some/model', {});
  agent = new TestAgent({ HF_ENDPOINT: hub.url, HF_TOKEN: '' });
  agent.run('init', 'harbor');
  const set = ['max_steps=60', 'sample_prompts=["Who are you?","When does the ferry leave?"]'];
  agent.run('train', 'harbor/recipe.yaml', ...set.flatMap((one) => ['--set', one]));
  run = `harbor/runs/${readdirSync(join(agent.workspace, 'harbor', 'runs'))[0]}`;
  await agent.start();
  studio = await PairedBrowser.open(agent);
});

afterAll(async () => {
  await studio?.browser.close();
  await agent?.end();
  agent?.remove();
  await hub?.close();
});

async function open(query = ''): Promise<Page> {
  const page = await studio.goTo(`/run?id=${encodeURIComponent(run)}&tab=exports${query}`);
  await page.getByRole('button', { name: 'Export', exact: true }).waitFor();
  return page;
}

const exportFolder = () => join(agent.workspace, run, 'export');
const rowOf = (page: Page, name: string) => page.getByRole('listitem').filter({ hasText: name });
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('exports in a browser', () => {
  it('begins with nothing, and tells every size before', async () => {
    const page = await open();
    await page.getByText('Nothing was exported of this run yet').waitFor();
    await page.getByText('Q4_K_M').waitFor();
    expect(await page.getByRole('checkbox', { name: 'Adapter' }).isChecked()).toBe(true);
    await expectAccessible(page);
    await page.close();
  });

  it('cancels an export, which leaves nothing', async () => {
    const page = await open('&forms=lora,merged-f32,f32,q6_k,q5_k_m,q4_k_m,q3_k_m,q2_k');
    await page.getByRole('button', { name: 'Export', exact: true }).click();
    await page.locator('[data-job="export"]').waitFor();
    await page.getByRole('button', { name: /^Cancel: Export/ }).click();
    await page.locator('[data-job="export"]').waitFor({ state: 'detached', timeout: 20_000 });
    await page.getByRole('button', { name: 'Activity', exact: true }).click();
    await page.getByText('Cancelled').waitFor();
    await expectAccessible(page);
    expect(readdirSync(exportFolder())).toEqual([]);
    await page.close();
  });

  it('exports by keyboard, goes on in a closed tab, and compares the answers', async () => {
    const page = await open('&forms=q8_0,ollama');
    const box = page.getByRole('checkbox', { name: 'Adapter' });
    await box.focus();
    await page.keyboard.press('Space');
    expect(await box.isChecked()).toBe(true);
    await page.waitForURL('**&forms=lora,q8_0,ollama');
    await page.getByRole('button', { name: 'Export', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.locator('[data-job="export"]').waitFor();
    await page.close();

    const again = await open();
    await again.locator('[data-verdict]').nth(1).waitFor({ timeout: 30_000 });
    expect(await rowOf(again, 'PEFT').locator('[data-verdict]').getAttribute('data-verdict')).toBe('same');
    await rowOf(again, 'GGUF Q8_0').locator('[data-verdict]').click();
    await again.getByRole('cell', { name: 'When does the ferry leave?' }).waitFor();
    await rowOf(again, 'Modelfile').getByRole('button', { name: 'Use it: Modelfile' }).click();
    await again.getByText(/^ollama create .* -f .*Modelfile/).waitFor();
    // What is there is not exported a second time.
    expect(await again.getByRole('checkbox', { name: 'Adapter' }).isDisabled()).toBe(true);
    await expectAccessible(again);
    await again.close();
  });

  it('offers an importance matrix to the types that it makes better, and shows what was written by one', async () => {
    const page = await open('&forms=f16');
    const matrix = page.getByRole('checkbox', { name: 'By an importance matrix' });
    await matrix.waitFor();
    expect(await matrix.isDisabled()).toBe(true);
    await page.getByRole('checkbox', { name: /^Q4_K_M/ }).check();
    await page.getByRole('checkbox', { name: /^F16/ }).uncheck();
    await matrix.check();
    await page.waitForURL('**&forms=q4_k_m,imatrix');
    await page.getByText(/^\.\/anneal export .* --gguf q4_k_m --imatrix/).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Export', exact: true }).click();
    await rowOf(page, 'GGUF Q4_K_M').getByText('by an importance matrix of 65,536 tokens of its rows').waitFor();
    await page.close();
  });

  it('keeps a token of the hub that is never shown again', async () => {
    const page = await studio.goTo('/settings');
    const card = page.getByRole('region', { name: 'Secrets' });
    await card.getByText('none: needed to push').waitFor();
    await card.getByLabel('Token', { exact: true }).fill(hub.uploads.token);
    await card.getByRole('button', { name: 'Keep' }).click();
    await card.getByText(`…${hub.uploads.token.slice(-4)}`).waitFor();
    await expectAccessible(page);
    await page.reload();
    await card.getByRole('button', { name: /^Remove/ }).waitFor();
    expect(await page.content()).not.toContain(hub.uploads.token);
    await page.close();
  });

  it('pushes to the hub with a model card, and says what keeps it from that', async () => {
    const page = await open();
    hub.uploads.repository('you/harbor', false);
    const push = async () => {
      await rowOf(page, 'PEFT').getByRole('button', { name: 'Push PEFT to the Hub' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: 'Repository' }).fill('you/harbor');
      await dialog.getByText(/^\.\/anneal push .*\/lora --to you\/harbor$/).waitFor();
      await expectAccessible(page);
      await page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'detached' });
    };
    await push();
    await page.getByRole('alert').getByText('and everybody can see it').waitFor();
    hub.uploads.repositories.clear();
    await push();
    await page.getByText('Pushed, private:').waitFor();
    await page.getByText('adapter_config.json has a path of this machine as base_model_name_or_path').waitFor();
    expect(await page.getByRole('link', { name: 'you/harbor' }).getAttribute('href')).toBe(`${hub.url}/you/harbor`);
    const card = String(hub.uploads.repositories.get('you/harbor')?.files.get('README.md'));
    expect(card).toMatch(/the same answers as the run, token by token: \d+ of \d+ agree/);
    await page.close();
  });

  it('downloads a file in two parts that are the file', async () => {
    const page = await open();
    const link = rowOf(page, 'GGUF Q8_0').getByRole('link', { name: 'Download GGUF Q8_0' });
    const href = (await link.getAttribute('href')) as string;
    const begun = page.waitForEvent('download');
    await link.click();
    const download = await begun;
    const folder = join(exportFolder(), 'step-60', 'gguf');
    const [file] = readdirSync(folder).filter((name) => name.endsWith('Q8_0.gguf'));
    expect(download.suggestedFilename()).toBe(file);
    const wanted = sha256(readFileSync(join(folder, file as string)));
    expect(sha256(readFileSync(await download.path()))).toBe(wanted);
    const found = await page.evaluate(async (url) => {
      const first = await fetch(url, { headers: { range: 'bytes=0-99999' } });
      const etag = first.headers.get('etag') as string;
      const rest = await fetch(url, { headers: { range: 'bytes=100000-', 'if-range': etag } });
      const bytes = await new Blob([await first.blob(), await rest.blob()]).arrayBuffer();
      const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      return {
        statuses: [first.status, rest.status],
        hash: [...hash].map((byte) => byte.toString(16).padStart(2, '0')),
      };
    }, href);
    expect(found).toEqual({ statuses: [206, 206], hash: wanted.match(/../g) });
    const stranger = await studio.browser.newContext();
    expect((await stranger.request.get(`${agent.url}${href}`)).status()).toBe(401);
    await stranger.close();
    await page.close();
  });

  it('deletes when asked twice', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Delete PEFT' }).click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByText(/export\/step-60\/lora/).waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    expect(readdirSync(join(exportFolder(), 'step-60')).sort()).toContain('lora');
    await page.getByRole('button', { name: 'Delete PEFT' }).click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await rowOf(page, 'PEFT').waitFor({ state: 'detached' });
    expect(readdirSync(join(exportFolder(), 'step-60')).sort()).toEqual(['anneal-export.json', 'gguf']);
    await page.close();
  });

  it('says what was exported on the command line, in Chinese and in the dark', async () => {
    agent.run('export', run, '--merged', '--to', 'handed-on/first');
    const page = await open();
    await page.evaluate(() => localStorage.setItem('anneal-locale', 'zh-CN'));
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.reload();
    await page.getByText('handed-on/first/merged').waitFor();
    await page.getByText('未比较').waitFor();
    await page.getByRole('button', { name: '导出', exact: true }).waitFor();
    hub.uploads.role = 'read';
    await page.getByRole('button', { name: /^将 Safetensors .*推送/ }).click();
    await page.getByRole('textbox', { name: '仓库' }).fill('you/merged');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('该令牌只能读取').waitFor();
    await page.getByText('the token of the hub may only read').waitFor();
    await expectAccessible(page);
    await page.setViewportSize({ width: 390, height: 844 });
    const overhang = () => page.evaluate('document.documentElement.scrollWidth - innerWidth');
    await expect.poll(overhang).toBe(0);
    await page.close();
  });

  it('said nothing in the console', () => {
    expect(studio.said.length).toBeGreaterThan(4);
    expect(studio.said.flat()).toEqual([]);
  });
});
