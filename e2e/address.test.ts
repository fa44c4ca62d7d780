/** What an address asks for and nobody knows is said; what the audit and the doctor say of a run is in words, and leads on. */
import { appendFileSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEvents } from '@anneal/core/trainer/eventReader';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestAgent } from './agent.ts';
import { expectAccessible } from './page.ts';
import { PairedBrowser } from './pairedBrowser.ts';

const agent = new TestAgent();
let paired: PairedBrowser;

beforeAll(async () => {
  agent.run('init', 'harbour');
  await agent.start();
  paired = await PairedBrowser.open(agent);
});

afterAll(async () => {
  await paired?.browser.close();
  await agent.end();
  agent.remove();
});

it('says what of an address is not known, and clears it', async () => {
  const page = await paired.goTo('/data?recipe=harbour/recipe.yaml&verdict=nice&sort=length&q=harbour');
  const notice = page.getByRole('status').filter({ hasText: 'not known here' });
  await notice.getByText('verdict=nice, sort=length').waitFor();
  await page.getByText('Kept').first().waitFor();
  await expectAccessible(page);
  await notice.getByRole('button', { name: 'Clear' }).press('Enter');
  await notice.waitFor({ state: 'detached' });
  expect(new URL(page.url()).search).toBe('?recipe=harbour%2Frecipe.yaml&q=harbour');
  await page.goto(`${agent.url}/data?recipe=harbour/recipe.yaml&row=999999`);
  await page.getByRole('alert').waitFor();
  await page.goto(`${agent.url}/run?id=harbour/runs/none`);
  await page.getByRole('alert').waitFor();
  await page.goto(`${agent.url}/chat?id=none`);
  await page.getByRole('alert').waitFor();
  await page.close();
});

it('opens the recipe of a run that has its own name and settings, with what the doctor proposes', async () => {
  // Beside a second recipe, which neither the name nor the text tells apart.
  const recipe = join(agent.workspace, 'harbour/recipe.yaml');
  copyFileSync(recipe, join(agent.workspace, 'harbour/other.yaml'));
  const own = ['--name', 'mine', '--set', 'learning_rate=1e-9', '--set', 'max_steps=2'];
  agent.run('train', 'harbour/recipe.yaml', ...own);
  const [id] = readdirSync(join(agent.workspace, 'harbour/runs')).filter((name) => name.endsWith('-mine'));
  const run = join(agent.workspace, `harbour/runs/${id}`);
  const events = [...readEvents(join(run, 'events.jsonl'))];
  expect(events[0]).toMatchObject({ type: 'run_created', recipe: '../../recipe.yaml' });
  // Many steps in which nothing was learned.
  const step = events.find((event) => event.type === 'step');
  const copy = join(agent.workspace, 'harbour/runs/20260101-000000-still');
  mkdirSync(copy);
  for (const file of ['recipe.yaml', 'recipe.resolved.yaml']) copyFileSync(join(run, file), join(copy, file));
  writeFileSync(join(copy, 'events.jsonl'), `${JSON.stringify({ ...events[0], name: 'still' })}\n`);
  for (let at = 1; at <= 40; at++)
    appendFileSync(join(copy, 'events.jsonl'), `${JSON.stringify({ ...step, seq: at + 1, step: at, loss: 2 })}\n`);

  const page = await paired.goTo('/run?id=harbour/runs/20260101-000000-still&tab=doctor');
  const link = page.getByRole('link', { name: 'Open in the editor with this change' });
  await link.waitFor({ timeout: 60_000 });
  await page.getByText('harbour/recipe.yaml is not as this run had it').waitFor();
  await expectAccessible(page);
  await link.press('Enter');
  await page.waitForURL('**/recipes?recipe=harbour%2Frecipe.yaml&change=*');
  await page.getByRole('region', { name: 'A proposed change' }).waitFor();
  expect(readFileSync(recipe, 'utf8')).not.toContain('1e-9');
  await page.close();
});

it('tells in Chinese who did what, and what was refused', async () => {
  const page = await paired.goTo('/chat');
  await page.evaluate(`localStorage.setItem('anneal-locale', 'zh-CN')`);
  await page.goto(`${agent.url}/settings`);
  const audit = page.getByRole('region', { name: '审计' }).last();
  await audit.getByText('配对浏览器').first().waitFor();
  await audit.getByText('完成').first().waitFor();
  await page.getByRole('textbox', { name: '新成员的名称' }).fill('Ada');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: '重新加载' }).click();
  await audit.getByText('邀请成员').first().waitFor();
  expect(await audit.innerText()).not.toMatch(/people\.invite|pair a browser|\bdone\b/);
  await expectAccessible(page);
  await page.close();
});

it('said nothing in the console', () => expect(paired.said.flat()).toEqual([]));
