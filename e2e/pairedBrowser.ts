/** A browser that is paired with a test agent, and what its pages say. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { TestAgent } from './agent.ts';
import { openBrowser } from './browser.ts';
import { watchConsole } from './page.ts';

export class PairedBrowser {
  readonly browser: Browser;
  readonly context: BrowserContext;
  /** Of every page that was opened, what its console has said. */
  readonly said: string[][] = [];
  readonly #agent: TestAgent;

  private constructor(agent: TestAgent, browser: Browser, context: BrowserContext) {
    this.#agent = agent;
    this.browser = browser;
    this.context = context;
  }

  /** @param agent that is started, and whose link nobody has used */
  static async open(agent: TestAgent): Promise<PairedBrowser> {
    const browser = await openBrowser();
    const viewport = { width: 1280, height: 900 };
    const context = await browser.newContext({ viewport, locale: 'en-US', colorScheme: 'light' });
    const paired = new PairedBrowser(agent, browser, context);
    const page = await paired.goTo(agent.link.slice(agent.url.length));
    await page.waitForURL(`${agent.url}/`);
    await page.close();
    return paired;
  }

  /** A new page. @param path with its query */
  async goTo(path: string): Promise<Page> {
    const page = await this.context.newPage();
    this.said.push(watchConsole(page));
    await page.goto(`${this.#agent.url}${path}`);
    return page;
  }
}
