/** Nothing that somebody looks at moves when something else comes: on every screen, wide and narrow, with first steps and without. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestAgent } from './agent.ts';
import { PairedBrowser } from './pairedBrowser.ts';

const agent = new TestAgent();
let paired: PairedBrowser;

beforeAll(async () => {
  agent.run('init', 'harbour');
  agent.run('train', 'harbour/recipe.yaml', '--set', 'num_epochs=1');
  await agent.start();
  paired = await PairedBrowser.open(agent);
}, 180_000);

afterAll(async () => {
  await paired?.browser.close();
  await agent.end();
  agent.remove();
});

/** With what is waited for on it. */
function screens(): Record<string, string> {
  const run = `harbour/runs/${readdirSync(join(agent.workspace, 'harbour/runs')).find((name) => /^\d/.test(name))}`;
  const id = encodeURIComponent(run);
  return {
    '/': 'harbour',
    '/recipes?recipe=harbour/recipe.yaml': 'It fits',
    '/recipes?recipe=harbour/recipe.yaml&view=both': 'It fits',
    '/data?recipe=harbour/recipe.yaml': 'All rows together',
    '/data?recipe=harbour/recipe.yaml&row=5': 'tokens are trained',
    '/chat': 'Ask something',
    '/models': 'harbour/model',
    '/host': 'Support file',
    '/settings': 'are free',
    [`/run?id=${id}`]: 'Gradient norm',
    [`/run?id=${id}&tab=exports`]: 'Gradient norm',
    [`/compare?runs=${id}`]: 'Nothing to compare',
  };
}

/** As Chromium measures it: the share of the view that moved, times how far. */
const watchShifts = `
  window.shifts = [];
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
      if (hadRecentInput) continue;
      shifted += value;
      shifts.push(value.toFixed(4) + ' ' + sources.map(({ node }) => node?.outerHTML?.slice(0, 100)).join(' | '));
    }
  }).observe({ type: 'layout-shift', buffered: true });`;

async function contextOf(width: number, way: string, locale: string): Promise<BrowserContext> {
  const storageState = await paired.context.storageState();
  const context = await paired.browser.newContext({ storageState, locale, viewport: { width, height: 900 } });
  await context.addInitScript(`localStorage.setItem('anneal-first-steps', '${way}')`);
  await context.addInitScript(watchShifts);
  return context;
}

it.each([
  [1440, '2', 'en-US'],
  [1440, 'closed', 'zh-CN'],
  [390, '2', 'en-US'],
] as const)(
  'moves nothing at a width of %i, first steps %s, in %s',
  { timeout: 400_000 },
  async (width, way, locale) => {
    const context = await contextOf(width, way, locale);
    const moved: Record<string, string[]> = {};
    for (const [path, text] of Object.entries(screens())) {
      const page = await context.newPage();
      await page.goto(`${agent.url}${path}`);
      if (locale === 'en-US') await page.getByText(text).first().waitFor({ timeout: 60_000 });
      else await page.locator('[data-connection="open"]').waitFor();
      await page.waitForTimeout(1_500);
      const { shifted, shifts } = (await page.evaluate('({ shifted, shifts })')) as {
        shifted: number;
        shifts: string[];
      };
      // As tools print it: 0.00. What is left are the first letters before the typeface has come.
      if (shifted >= 0.005) moved[path] = [String(shifted), ...shifts];
      await page.close();
    }
    await context.close();
    expect(moved).toEqual({});
  },
);

it('measures what moves', async () => {
  const context = await contextOf(1440, 'closed', 'en-US');
  const page = await context.newPage();
  await page.goto(agent.url);
  await page.getByText('harbour').first().waitFor();
  await page.evaluate('document.body.prepend(Object.assign(document.createElement("div"), { style: "height: 40px" }))');
  await expect.poll(() => page.evaluate('shifted') as Promise<number>).toBeGreaterThan(0.005);
  await context.close();
});
