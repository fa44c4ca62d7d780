/**
 * Makes pictures of docs/studio.md anew, of runs of the starter that it trains for them:
 *   node e2e/pictures.ts [run runs export host settings recipe data row]
 */
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { TestAgent } from './agent.ts';
import { openBrowser } from './browser.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'images');
const recipe = 'harbor/recipe.yaml';

const agent = new TestAgent();
process.on('exit', () => agent.remove());

/** @returns the run, as addresses name it */
function train(name: string, ...set: string[]): string {
  agent.run('train', recipe, '--name', name, ...setting('logging_steps=1', ...set));
  const id = readdirSync(join(agent.workspace, 'harbor', 'runs')).find((each) => each.endsWith(`-${name}`));
  return `harbor/runs/${id}`;
}

function setting(...set: string[]): string[] {
  return set.flatMap((one) => ['--set', one]);
}

interface Picture {
  width?: number;
  height: number;
  path: () => string;
  /** What is done on the page before it is taken. */
  show: (page: Page) => Promise<unknown>;
}

let run = '';
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
      await page.getByText('It fits').waitFor({ timeout: 60_000 });
      await page.locator('.monaco-editor .view-line').getByText('lr_scheduler').first().click();
      await page.keyboard.press('End');
      await page.keyboard.press('Backspace');
      await page.getByText('1 problem').waitFor();
      await page.keyboard.press('Control+Space');
      await page.locator('.suggest-widget .monaco-list-row').first().waitFor();
    },
  },
};

const asked = process.argv.slice(2);
const names = Object.keys(pictures).filter((name) => asked.length === 0 || asked.includes(name));

agent.run('init', 'harbor');
appendFileSync(
  join(agent.workspace, 'harbor/data/harbour.jsonl'),
  '{"messages":[{"role":"user","content":"Well?"}]}\n',
);
run = train('harbor');
if (names.includes('export'))
  agent.run('export', run, '--lora', '--merged', '--gguf', 'q8_0,q2_k', '--ollama', '--check');
train('lower-rate', 'learning_rate=5e-4', 'num_epochs=4');
await agent.start();
const browser = await openBrowser();
const context = await browser.newContext({ locale: 'en-US', colorScheme: 'light' });
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
  const { width = 1200, height, path, show } = pictures[name] as Picture;
  if (name === 'host' || name === 'runs') queue();
  const page = await context.newPage();
  await page.setViewportSize({ width, height });
  await page.goto(`${agent.url}${path()}`);
  await show(page);
  await page.waitForTimeout(2_000); // fonts, charts and progress bars come to rest
  await page.screenshot({ path: join(folder, `studio-${name}.png`) });
  await page.close();
}
await browser.close();
if (isQueued) {
  for (const name of ['no-dropout', 'rank-32']) agent.run('queue', 'rm', name);
  agent.run('runs', 'stop', 'baseline', '--now', '--runs-dir', 'harbor/runs');
}
await agent.end();
