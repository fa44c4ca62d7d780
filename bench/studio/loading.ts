/** How long a page takes to show what it is about, with nothing in the browser's cache. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { type BenchAgent, round } from '../agent.ts';
import { BenchPage } from './benchPage.ts';

const repeats = 5;
/** Without a request or a larger paint for so long, a page is there. */
const quietMilliseconds = 2000;

interface Loaded {
  largestContentfulPaint: number;
  totalBlockingTime: number;
}

/** @param paths by the names of the pages */
export async function measureLoading(browser: Browser, agent: BenchAgent, paths: Readonly<Record<string, string>>) {
  const pages: Record<string, unknown> = {};
  for (const [name, path] of Object.entries(paths)) {
    const loads: Loaded[] = [];
    for (let time = 0; time < repeats; time++) loads.push(await load(browser, agent, path));
    pages[name] = {
      largestContentfulPaintMilliseconds: spreadOf(loads.map((one) => one.largestContentfulPaint)),
      totalBlockingMilliseconds: spreadOf(loads.map((one) => one.totalBlockingTime)),
    };
    console.error(name, JSON.stringify(pages[name]));
  }
  return { what: `pages opened in a new context, median of ${repeats} and the largest`, pages };
}

async function load(browser: Browser, agent: BenchAgent, path: string): Promise<Loaded> {
  const opened = await BenchPage.open(browser, agent, observe);
  const { page } = opened;
  await page.goto(`${agent.url}${path}`, { waitUntil: 'networkidle' });
  await wait(quietMilliseconds);
  const measured = await page.evaluate(() => (globalThis as unknown as { measured: Measured }).measured);
  await opened.close();
  if (measured.paint === 0) throw new Error(`${path} has painted nothing`);
  const blocking = measured.tasks.filter(({ start }) => start >= measured.firstPaint);
  return {
    largestContentfulPaint: measured.paint,
    totalBlockingTime: blocking.reduce((sum, { length }) => sum + length - 50, 0),
  };
}

interface Measured {
  /** Milliseconds after the navigation began. */
  paint: number;
  firstPaint: number;
  /** Those that keep the main thread for more than 50 ms. */
  tasks: { start: number; length: number }[];
}

/** Runs in the page. */
function observe(): void {
  const measured: Measured = { paint: 0, firstPaint: 0, tasks: [] };
  (globalThis as unknown as { measured: Measured }).measured = measured;
  const observer = new PerformanceObserver((list) => {
    for (const { entryType, name, startTime, duration } of list.getEntries()) {
      const type: string = entryType; // a browser has more than Node
      if (type === 'largest-contentful-paint') measured.paint = startTime;
      else if (type === 'longtask') measured.tasks.push({ start: startTime, length: duration });
      else if (name === 'first-contentful-paint') measured.firstPaint = startTime;
    }
  });
  for (const type of ['largest-contentful-paint', 'paint', 'longtask'])
    observer.observe({ type, buffered: true } as never);
}

function spreadOf(values: readonly number[]): { median: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: round(sorted[sorted.length >> 1] as number, 0), max: round(sorted.at(-1) as number, 0) };
}
