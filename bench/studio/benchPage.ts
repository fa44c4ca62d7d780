/** A page of the studio in Chromium, paired, and what its process has used. */
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import type { BenchAgent } from '../agent.ts';

export interface Held {
  nodes: number;
  listeners: number;
  heapKilobytes: number;
}

export class BenchPage {
  readonly page: Page;
  readonly #session: CDPSession;
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext, page: Page, session: CDPSession) {
    this.#context = context;
    this.page = page;
    this.#session = session;
  }

  /** With an empty cache. @param before runs in the page before its own scripts */
  static async open(browser: Browser, agent: BenchAgent, before?: () => void): Promise<BenchPage> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-US' });
    const [name = '', value = ''] = agent.cookie.split('=');
    await context.addCookies([{ name, value, url: agent.url }]);
    if (before) await context.addInitScript(before);
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    return new BenchPage(context, page, session);
  }

  /** Processor time of the main thread since the page was opened, whatever for. */
  async mainThreadMilliseconds(): Promise<number> {
    return 1000 * (await this.#metric('TaskDuration'));
  }

  /** What is alive once the garbage is collected, detached nodes included. */
  async held(): Promise<Held> {
    // What finalizers of one collection let go is found by the next.
    for (let time = 0; time < 3; time++) await this.#session.send('HeapProfiler.collectGarbage');
    const { nodes, jsEventListeners } = await this.#session.send('Memory.getDOMCounters');
    return {
      nodes,
      listeners: jsEventListeners,
      heapKilobytes: Math.round((await this.#metric('JSHeapUsedSize')) / 1000),
    };
  }

  async close(): Promise<void> {
    await this.#context.close();
  }

  async #metric(wanted: string): Promise<number> {
    const { metrics } = await this.#session.send('Performance.getMetrics');
    const found = metrics.find(({ name }) => name === wanted);
    if (!found) throw new Error(`this browser does not tell ${wanted}`);
    return found.value;
  }
}
