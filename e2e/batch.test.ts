/** From a spike in a chart to the row that made it, and to its tokens. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ListedAnswer } from '@anneal/core/protocol/answers';
import { readEvents } from '@anneal/core/trainer/eventReader';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestAgent } from './agent.ts';
import { expectAccessible } from './page.ts';
import { PairedBrowser } from './pairedBrowser.ts';

const agent = new TestAgent();
let browser: PairedBrowser;
/** Of the run, and the step with the highest loss after the first, which is the planted row's. */
let run: string;
let spike: number;
/** One that learns from its own answers. */
let sampled: string;

const planted = 'zqx vv KJ8 ##@@ wvlpt qqq0 7h7h7 %%%% xkcd zzpf jjjj QQWW';
const plantedRow = 42;

beforeAll(async () => {
  agent.run('init', 'harbour');
  const path = join(agent.workspace, 'harbour', 'data', 'harbour.jsonl');
  const lines = readFileSync(path, 'utf8').split('\n');
  const messages = [
    { role: 'user', content: 'When is high tide?' },
    { role: 'assistant', content: planted },
  ];
  lines.splice(plantedRow - 1, 0, JSON.stringify({ messages }));
  writeFileSync(path, lines.join('\n'));
  const changes = ['logging_steps=1', 'max_steps=118', 'val_set_size=0', 'sample_prompts=[]', 'warmup_ratio=0'];
  agent.run('train', 'harbour/recipe.yaml', ...changes.flatMap((change) => ['--set', change]));
  const [{ id }] = JSON.parse(agent.run('runs', 'ls', '--json', '--runs-dir', 'harbour/runs'));
  run = `harbour/runs/${id}`;
  const steps = [...readEvents(join(agent.workspace, run, 'events.jsonl'))].filter((event) => event.type === 'step');
  const later = steps.filter(({ step }) => step > 1);
  spike = later.reduce((a, b) => ((b.loss ?? 0) > (a.loss ?? 0) ? b : a)).step;
  sampled = trainOnSums();
  await agent.start();
  browser = await PairedBrowser.open(agent);
});

function trainOnSums(): string {
  const folder = join(agent.workspace, 'sums');
  mkdirSync(folder);
  const rows = [3, 4, 5, 6].map((x) => ({ prompt: `What is ${x} plus 1?`, answer: x + 1 }));
  writeFileSync(join(folder, 'sums.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  writeFileSync(join(folder, 'short.ts'), 'export default (answers) => answers.map(({ tokens }) => -tokens / 100);');
  const recipe = {
    base_model: join(agent.workspace, 'harbour', 'model'),
    rl: 'grpo',
    adapter: 'lora',
    trl: {
      num_generations: 4,
      max_completion_length: 16,
      reward_funcs: [{ type: 'numeric', field: 'answer' }, 'short.ts'],
    },
    datasets: [{ path: 'sums.jsonl' }],
    val_set_size: 0,
    sequence_len: 128,
    micro_batch_size: 8,
    max_steps: 3,
    output_dir: 'runs',
  };
  writeFileSync(join(folder, 'recipe.yaml'), JSON.stringify(recipe));
  agent.run('train', 'sums/recipe.yaml');
  const [{ id }] = JSON.parse(agent.run('runs', 'ls', '--json', '--runs-dir', 'sums/runs'));
  return `sums/runs/${id}`;
}

afterAll(async () => {
  await browser?.browser.close();
  await agent.end();
  agent.remove();
});

const lossChart = (page: Page) => page.getByRole('img', { name: /^Loss\./ });
const chosenRow = (page: Page) => page.locator('ol[aria-label^="Rows of this step"] button[aria-current]');

/** Where a step is in the chart, of a run whose steps are all shown. */
async function clickStep(page: Page, step: number): Promise<void> {
  await page.getByText('118 / 118').waitFor();
  const area = await lossChart(page).locator('.u-over').boundingBox();
  if (!area) throw new Error('the chart is not shown');
  await page.mouse.click(area.x + (area.width * (step - 1)) / 117, area.y + area.height / 2);
}

it('leads from the list of runs to the planted row in two clicks, and to a version without it in two more', async () => {
  const page = await browser.goTo('/');
  await page.getByRole('link', { name: /harbour/ }).click();
  await clickStep(page, spike);
  await page.getByRole('heading', { name: `Step ${spike}` }).waitFor();
  await page.getByText('Tokens are colored by their loss').waitFor({ timeout: 30_000 });
  expect(await chosenRow(page).innerText()).toContain('zqx vv KJ8');
  await page.getByRole('heading', { name: `harbour/data/harbour.jsonl:${plantedRow}` }).waitFor();
  const bad = page.getByRole('option', { name: 'q', exact: true }).first();
  await bad.hover();
  await page.getByText('Probability').waitFor();
  await expectAccessible(page);
  await page.reload();
  await page.getByText('Tokens are colored by their loss').waitFor({ timeout: 30_000 });
  const original = readFileSync(join(agent.workspace, 'harbour/data/harbour.jsonl'), 'utf8');
  await page.getByRole('button', { name: 'Edit the row' }).click();
  await page.getByRole('textbox', { name: 'Row, as JSON' }).waitFor();
  expect(await page.getByRole('textbox', { name: 'Row, as JSON' }).inputValue()).toContain(`"content": "${planted}"`);
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Leave this row out' }).click();
  await page.getByText('harbour/data/versions/harbour.v2.jsonl').waitFor({ timeout: 30_000 });
  const left = original
    .split('\n')
    .toSpliced(plantedRow - 1, 1)
    .join('\n');
  expect(readFileSync(join(agent.workspace, 'harbour/data/versions/harbour.v2.jsonl'), 'utf8')).toBe(left);
  expect(readFileSync(join(agent.workspace, 'harbour/data/harbour.jsonl'), 'utf8')).toBe(original);
  await page.getByRole('button', { name: 'Train on it in harbour/recipe.yaml' }).click();
  await page.getByText('harbour/recipe.yaml names the new version now.').waitFor();
  await expectAccessible(page);
  expect(readFileSync(join(agent.workspace, 'harbour/recipe.yaml'), 'utf8')).toContain(
    'path: "data/versions/harbour.v2.jsonl"',
  );
  await page.close();
});

it('says of a step beyond the end where the run ends, and leads back to it', async () => {
  const page = await browser.goTo(`/run?id=${run}&step=999`);
  await page.getByText('the run has no step 999: it ends with step 118').waitFor({ timeout: 30_000 });
  expect(await page.getByRole('button', { name: 'Next step' }).isDisabled()).toBe(true);
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Previous step' }).press('Enter');
  await page.getByRole('heading', { name: 'Step 118' }).waitFor();
  await page.close();
});

it('is gone through with the keyboard alone', async () => {
  const page = await browser.goTo(`/run?id=${run}&from=2&to=118`);
  await lossChart(page).focus();
  await page.getByText('Steps 2 to 118').waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: `Step ${spike}` }).waitFor();
  const first = await chosenRow(page).innerText();
  await page.keyboard.press('j');
  await expect.poll(() => chosenRow(page).innerText()).not.toBe(first);
  await page.keyboard.press('k');
  await expect.poll(() => chosenRow(page).innerText()).toBe(first);
  await page.locator('[data-token="0"]').waitFor();
  await page.keyboard.press('ArrowRight');
  await page.getByText(/^Token 1 of/).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('heading', { name: `Step ${spike}` }).waitFor({ state: 'detached' });
  await page.close();
});

it('a row of the data screen is edited with the keyboard, too', async () => {
  const page = await browser.goTo('/data?file=harbour/data/harbour.jsonl&row=1');
  await page.getByRole('heading', { name: /^Row 1/ }).waitFor({ timeout: 30_000 });
  await page.locator('[data-token="0"]').waitFor();
  await page.keyboard.press('e');
  const field = page.getByRole('textbox', { name: 'Row, as JSON' });
  await field.waitFor();
  await field.fill((await field.inputValue()).replace('Who are you?', 'Who is there?'));
  await page.getByRole('button', { name: 'Save as a new version' }).click();
  await page.getByText('harbour/data/versions/harbour.v3.jsonl').waitFor({ timeout: 30_000 });
  await page.getByText('No recipe here names the file itself.').waitFor();
  await page.getByRole('link', { name: 'Look at the version' }).click();
  await page.getByText('Who is there?').waitFor({ timeout: 30_000 });
  await page.close();
});

it('a double click in a chart shows everything, and opens no step', async () => {
  const page = await browser.goTo(`/run?id=${run}&from=20&to=60`);
  await page.getByText('Steps 20 to 60').waitFor();
  const area = await lossChart(page).locator('.u-over').boundingBox();
  if (!area) throw new Error('the chart is not shown');
  await page.mouse.dblclick(area.x + area.width / 2, area.y + area.height / 2);
  await page.getByText('Steps 20 to 60').waitFor({ state: 'detached' });
  await page.waitForTimeout(500);
  expect(new URL(page.url()).searchParams.has('step')).toBe(false);
  await page.close();
});

/** As they stand on the page, whatever their order: those of one reward may come in any. */
const texts = (answers: readonly ListedAnswer[]): string[] =>
  answers.map(({ text, tokens }) => `${tokens} ${text.trim() || 'It said nothing.'}`).sort();

it('shows what a step sampled: each prompt, its answers, and what they were worth', async () => {
  const answers = JSON.parse(agent.run('runs', 'answers', sampled, '2', '--json')) as ListedAnswer[];
  const prompts = [...Map.groupBy(answers, ({ prompt }) => prompt).values()];
  const page = await browser.goTo(`/run?id=${sampled}&step=2`);
  await page.getByText(`${answers.length} answers to ${prompts.length} prompts`).waitFor();
  for (const name of ['numeric', 'short']) await page.getByRole('img', { name: `Reward of ${name}.` }).waitFor();
  const shown = page.getByRole('list', { name: 'Answers to this prompt' }).getByRole('listitem');
  const shownTexts = async (): Promise<string[]> =>
    (
      await shown.evaluateAll((items) =>
        items.map(
          (item) =>
            `${item.querySelector('dl > :nth-child(5) dd')?.textContent} ${item.querySelector('p')?.textContent?.trim()}`,
        ),
      )
    ).sort();
  expect(await shownTexts()).toEqual(texts(prompts[0] ?? []));
  expect(await shown.first().innerText()).toMatch(/Reward[\s\S]*Advantage[\s\S]*numeric[\s\S]*short[\s\S]*Tokens/);
  await expectAccessible(page);
  await page.keyboard.press('j');
  await expect.poll(shownTexts).toEqual(texts(prompts[1] ?? []));
  await page.getByRole('button', { name: 'Next step' }).click();
  await page.getByRole('heading', { name: 'Step 3' }).waitFor();
  await page.getByText('answers to').waitFor();
  expect(await page.getByRole('button', { name: 'Next step' }).isDisabled()).toBe(true);
  await page.keyboard.press('Escape');
  await page.goto(`${agent.url}/run?id=${sampled}&step=4`);
  await page.getByText('no answers of step 4 are kept').waitFor();
  await page.close();
});

it('nothing was said on any console', () => {
  expect(browser.said.flat()).toEqual([]);
});
