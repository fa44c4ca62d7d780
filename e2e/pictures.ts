/**
 * The pictures of docs/studio.md, of runs of the starter that it trains for them. Their folder, `anneal` in that of this
 * user, is made for them and removed.
 */
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readEvents } from '@anneal/core/trainer/eventReader';
import type { Locator, Page } from 'playwright-core';
import { readArguments } from '../bench/arguments.ts';
import { TestAgent } from './agent.ts';
import { openBrowser } from './browser.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'images');
const recipe = 'harbor/recipe.yaml';

const agent = new TestAgent({}, [], join(homedir(), 'anneal'));
process.on('exit', () => agent.remove());

/** @returns the run, as addresses name it */
function train(name: string, ...set: string[]): string {
  return trainOf('harbor', name, ...set);
}

function trainOf(project: string, name: string, ...set: string[]): string {
  agent.run('train', `${project}/recipe.yaml`, '--name', name, ...setting('logging_steps=1', ...set));
  const id = readdirSync(join(agent.workspace, project, 'runs')).find((each) => each.endsWith(`-${name}`));
  return `${project}/runs/${id}`;
}

/** A run with a row of nonsense, and the step that met it. */
function trainWithSpike(): { run: string; step: number } {
  agent.run('init', 'demo');
  const path = join(agent.workspace, 'demo', 'data', 'harbour.jsonl');
  const lines = readFileSync(path, 'utf8').split('\n');
  const answer = 'zqx vv KJ8 ##@@ wvlpt qqq0 7h7h7 %%%% xkcd zzpf jjjj QQWW';
  const messages = [
    { role: 'user', content: 'When is high tide?' },
    { role: 'assistant', content: answer },
  ];
  lines.splice(41, 0, JSON.stringify({ messages }));
  writeFileSync(path, lines.join('\n'));
  const run = trainOf('demo', 'demo', 'max_steps=118', 'val_set_size=0', 'sample_prompts=[]', 'warmup_ratio=0');
  const steps = [...readEvents(join(agent.workspace, run, 'events.jsonl'))].filter((event) => event.type === 'step');
  const { step } = steps.slice(1).reduce((a, b) => ((b.loss ?? 0) > (a.loss ?? 0) ? b : a));
  return { run, step };
}

/** Another recipe of the project. */
function recipeWith(name: string, ...changes: [RegExp, string][]): string {
  const text = changes.reduce((before, [from, to]) => before.replace(from, to), readFileSync(file(recipe), 'utf8'));
  writeFileSync(file(`harbor/${name}.yaml`), text);
  return `harbor/${name}.yaml`;
}

const file = (key: string): string => join(agent.workspace, key);

function setting(...set: string[]): string[] {
  return set.flatMap((one) => ['--set', one]);
}

interface Picture {
  width?: number;
  height: number;
  path: () => string;
  /** What is done on the page before it is taken. */
  show: (page: Page) => Promise<unknown>;
  /** The part of the page that is taken. */
  of?: (page: Page) => Locator;
}

let run = '';
let other = '';
let spike = { run: '', step: 0 };

async function ask(page: Page, question: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Question', exact: true }).fill(question);
  await page.keyboard.press('Enter');
  await page.locator('[data-answer="done"]').nth(1).waitFor({ timeout: 60_000 });
}

const pictures: Record<string, Picture> = {
  run: {
    height: 900,
    path: () => `/run?id=${encodeURIComponent(run)}`,
    show: async (page) => {
      await page.getByText('Gradient norm').waitFor();
      await page.mouse.move(520, 470);
    },
  },
  export: {
    height: 860,
    path: () => `/run?id=${encodeURIComponent(run)}&tab=exports&forms=q5_k_m,q4_k_m`,
    show: async (page) => {
      const exports = page.getByRole('button', { name: 'Export', exact: true });
      await exports.waitFor();
      await page.getByRole('tab', { name: 'Export' }).hover();
      await page.mouse.wheel(0, 700);
      await page.getByText('other tokens').first().click();
    },
  },
  data: {
    height: 700,
    path: () => `/data?recipe=${recipe}`,
    show: (page) => page.getByText('Who are you?').first().waitFor(),
  },
  row: {
    height: 560,
    path: () => `/data?recipe=${recipe}&row=5`,
    show: async (page) => {
      await page.getByText('tokens are trained').waitFor();
      for (let i = 0; i < 23; i++) await page.keyboard.press('ArrowRight');
    },
  },
  batches: {
    width: 1280,
    height: 900,
    path: () =>
      `/recipes?recipe=${recipeWith(
        'packed',
        [/sample_packing: .*/, 'sample_packing: true'],
        [/micro_batch_size: .*/, 'micro_batch_size: 2'],
        [/gradient_accumulation_steps: .*/, 'gradient_accumulation_steps: 2'],
      )}`,
    show: async (page) => {
      await page.getByText('Ready to start').waitFor();
      await page.locator('[data-estimate="current"]').waitFor({ timeout: 60_000 });
      await page.getByRole('button', { name: 'Look at them' }).click();
      const panel = page.getByRole('region', { name: 'First batches' });
      await panel.getByText('Batch 2').click();
      await panel.getByText('2 of its 2 batches').waitFor();
      await panel.locator('[data-trained]').nth(4).hover();
    },
    of: (page) => page.getByRole('region', { name: 'First batches' }),
  },
  form: {
    width: 1280,
    height: 860,
    path: () => `/recipes?recipe=${recipeWith('wide')}&view=both`,
    show: async (page) => {
      await page.getByText('Ready to start').waitFor();
      await page.locator('[data-estimate="current"]').waitFor({ timeout: 60_000 });
      await page.getByRole('textbox', { name: 'lora_r', exact: true }).fill('9999');
      const form = page.getByRole('region', { name: 'Form of the recipe' });
      await form.getByText('out of range').waitFor();
      await form.hover();
      await page.mouse.wheel(0, 420);
      await form.getByText('4 bits').first().hover();
      await page.getByText('Weights rounded to 16 values').waitFor();
    },
  },
  spike: {
    height: 1200,
    path: () => `/run?id=${encodeURIComponent(spike.run)}&step=${spike.step}&document=0`,
    show: async (page) => {
      await page.getByText('Tokens are colored by their loss').waitFor({ timeout: 60_000 });
      await page.getByRole('option', { name: 'K', exact: true }).first().hover();
      await page.getByText('Probability').waitFor();
    },
    of: (page) => page.getByRole('region', { name: `Step ${spike.step}` }),
  },
  chat: {
    height: 640,
    path: () => `/run?id=${encodeURIComponent(run)}`,
    show: async (page) => {
      await page.getByRole('article').getByRole('link', { name: 'Chat' }).click();
      await ask(page, 'What color is a banana?');
      for (const question of ['Who are you?', 'When does the ferry leave?']) {
        await page.goto(`${agent.url}/run?id=${encodeURIComponent(run)}`);
        await page.getByRole('article').getByRole('link', { name: 'Chat' }).click();
        await ask(page, question);
      }
      await page.getByRole('radio', { name: 'Tokens' }).click();
      await page.getByText('Here the answers part').first().waitFor();
      await page.getByRole('listbox').first().focus();
      for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowRight');
      await page.getByText(/^Token 3, id/).waitFor();
      await page.mouse.wheel(0, -2000);
    },
  },
  compare: {
    height: 900,
    path: () => `/compare?runs=${encodeURIComponent(`${run},${other}`)}&baseline=${encodeURIComponent(run)}`,
    show: async (page) => {
      await page.getByText('Gradient norm').first().waitFor();
      await page.mouse.move(520, 620);
    },
  },
  settings: {
    height: 1040,
    path: () => '/settings',
    show: async (page) => {
      const you = page.getByRole('region', { name: 'You', exact: true });
      await you.getByRole('textbox', { name: 'Name' }).fill('Katherine');
      await you.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByRole('textbox', { name: 'Name of somebody new' }).fill('Ada');
      await page.getByRole('button', { name: 'Invite' }).click();
      await page.getByText('Send it to Ada').waitFor();
    },
  },
  host: { height: 480, path: () => '/host', show: (page) => page.getByText('no-dropout').waitFor() },
  runs: { height: 440, path: () => '/', show: (page) => page.getByText('Running').first().waitFor() },
  // Last: what is typed there stays in the file.
  recipe: {
    height: 840,
    path: () => `/recipes?recipe=${recipe}`,
    show: async (page) => {
      await page.locator('[data-estimate="current"]').waitFor({ timeout: 60_000 });
      await page.locator('.monaco-editor .view-line').getByText('lr_scheduler').first().click();
      await page.keyboard.press('End');
      await page.keyboard.press('Backspace');
      await page.getByText('1 problem').waitFor();
      await page.keyboard.press('Control+Space');
      await page.locator('.suggest-widget .monaco-list-row').first().waitFor();
    },
  },
};

const { names: asked } = readArguments({
  command: 'node e2e/pictures.ts',
  about: 'Makes pictures of docs/studio.md anew, all of them or those named, on a machine that does nothing else.',
  others: 'NAME',
});
const unknown = asked.filter((name) => !Object.hasOwn(pictures, name));
if (unknown.length > 0) {
  console.error(`no picture is called ${unknown.join(' or ')}; there are ${Object.keys(pictures).join(', ')}`);
  process.exit(2);
}
const names = Object.keys(pictures).filter((name) => asked.length === 0 || asked.includes(name));

agent.run('init', 'harbor');
appendFileSync(
  join(agent.workspace, 'harbor/data/harbour.jsonl'),
  '{"messages":[{"role":"user","content":"Well?"}]}\n',
);
if (names.some((name) => ['run', 'runs', 'export', 'chat', 'compare'].includes(name))) run = train('harbor');
if (names.includes('export'))
  agent.run('export', run, '--lora', '--merged', '--gguf', 'q8_0,q2_k', '--ollama', '--check');
if (names.some((name) => ['runs', 'compare'].includes(name)))
  other = train('lower-rate', 'learning_rate=5e-4', 'num_epochs=4');
if (names.includes('spike')) spike = trainWithSpike();
await agent.start();
const browser = await openBrowser();
const context = await browser.newContext({ locale: 'en-US', colorScheme: 'light' });
// Each picture is the same whether it is made alone or after others, which take the first steps.
await context.addInitScript(`localStorage.setItem('anneal-first-steps', 'closed')`);
const first = await context.newPage();
await first.goto(agent.link);
await first.waitForURL(`${agent.url}/`);

let isQueued = false;
/** From here on the processor is busy. */
function queue(): void {
  if (isQueued) return;
  isQueued = true;
  for (const name of ['baseline', 'rank-32', 'no-dropout'])
    agent.run('train', recipe, '--name', name, '--queue', ...setting('num_epochs=300'));
}

for (const name of names) {
  const { width = 1200, height, path, show, of } = pictures[name] as Picture;
  if (name === 'host' || name === 'runs') queue();
  const page = await context.newPage();
  await page.setViewportSize({ width, height });
  await page.goto(`${agent.url}${path()}`);
  await show(page);
  await page.waitForTimeout(2_000); // fonts, charts and progress bars come to rest
  await (of?.(page) ?? page).screenshot({ path: join(folder, `studio-${name}.png`) });
  await page.close();
}
await browser.close();
if (isQueued) {
  for (const name of ['no-dropout', 'rank-32']) agent.run('queue', 'rm', name);
  agent.run('runs', 'stop', 'baseline', '--now', '--runs-dir', 'harbor/runs');
}
await agent.end();
