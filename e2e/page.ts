/** What is looked at on every page: messages of the console, accessibility, and every event that came. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The errors and warnings of a page, violations of its policy among them. */
export function watchConsole(page: Page): string[] {
  const said: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) said.push(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => said.push(String(error)));
  return said;
}

/** The numbers of the events that came by socket, in their order, and of the last event that each answer counted in. */
export function watchEvents(page: Page): { events: number[]; answered: number[] } {
  const seen = { events: [] as number[], answered: [] as number[] };
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      if (typeof payload !== 'string' || !payload.startsWith('{')) return;
      const data = JSON.parse(payload).result?.data;
      for (const { seq } of data?.data?.events ?? []) seen.events.push(seq);
      if (data?.bands) seen.answered.push(data.seq);
    }),
  );
  return seen;
}

/** Writes a line of a recipe anew, as one does: a click into it, and the keys. */
export async function writeLine(page: Page, key: string, line: string): Promise<void> {
  await page.locator('.monaco-editor .view-line').getByText(key, { exact: true }).first().click();
  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+End');
  await page.keyboard.type(line);
}

/** No finding that keeps somebody from using the page, once its colors stand still. */
export async function expectAccessible(page: Page): Promise<void> {
  const stands = `document.getAnimations().every(
    ({ playState, transitionProperty = '' }) => playState !== 'running' || !/color|opacity/.test(transitionProperty))`;
  await expect.poll(() => page.evaluate(stands), { timeout: 30_000 }).toBe(true);
  await page.evaluate(axe);
  const findings = await page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
      }
    ).axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
  expect(findings).toEqual([]);
}

/** As the page has it: the types of a browser are not those of these tests. */
interface Canvas {
  width: number;
  height: number;
  getContext(kind: '2d'): { getImageData(...area: number[]): { data: Uint8ClampedArray } };
}

/** Of a chart: its axes and its text are gray. */
export function coloredPixels(chart: Locator): Promise<number> {
  return chart.locator('canvas').evaluate((element) => {
    const canvas = element as unknown as Canvas;
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let count = 0;
    for (let i = 0; i < pixels.length; i += 4) {
      const [red = 0, green = 0, blue = 0] = pixels.slice(i, i + 3);
      if (Math.max(red, green, blue) - Math.min(red, green, blue) > 60) count++;
    }
    return count;
  });
}
