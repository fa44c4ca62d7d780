/** What stays behind when screens are shown and left again, by links as people do. */
import type { Browser, Page } from 'playwright-core';
import type { BenchAgent } from '../agent.ts';
import { BenchPage, type Held } from './benchPage.ts';

/** Modules, caches and the router's memory fill first. */
const warmUp = 20;
const mounts = 200;

export interface Screen {
  name: string;
  /** Of the page that has a link to it. */
  from: string;
  link: (page: Page) => ReturnType<Page['locator']>;
  /** Seen when it is there. */
  sign: (page: Page) => ReturnType<Page['locator']>;
}

export async function measureMounts(browser: Browser, agent: BenchAgent, screens: readonly Screen[]) {
  const measured: Record<string, unknown> = {};
  for (const { name, from, link, sign } of screens) {
    const opened = await BenchPage.open(browser, agent);
    const { page } = opened;
    await page.goto(`${agent.url}${from}`);
    const visit = async () => {
      await link(page).click();
      await sign(page).waitFor();
      await page.goBack();
      await link(page).waitFor();
    };
    for (let time = 0; time < warmUp; time++) await visit();
    const before = await opened.held();
    for (let time = 0; time < mounts; time++) await visit();
    const after = await opened.held();
    await opened.close();
    measured[name] = { after, grownBy: difference(after, before) };
    console.error(name, JSON.stringify(measured[name]));
  }
  return {
    what: `screens that were shown and left ${mounts} times after ${warmUp} times before, the garbage collected`,
    screens: measured,
  };
}

function difference(after: Held, before: Held): Held {
  return {
    nodes: after.nodes - before.nodes,
    listeners: after.listeners - before.listeners,
    heapKilobytes: after.heapKilobytes - before.heapKilobytes,
  };
}
