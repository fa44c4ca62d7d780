/** People in the studio: invited by a link, refused what their role does not reach, and gone when they are removed. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgent } from './agent.ts';
import { openBrowser } from './browser.ts';
import { expectAccessible, watchConsole } from './page.ts';

const agent = new TestAgent();
let browser: Browser;
let admin: Page;
let ada: Page;
/** Of the admin's page; Ada's tells of the socket that is closed on her. */
let said: string[];

beforeAll(async () => {
  agent.run('init', 'harbour');
  await agent.start();
  browser = await openBrowser();
  const context = await newContext('en-US', 1280);
  admin = await context.newPage();
  said = watchConsole(admin);
  await admin.goto(agent.link);
  await admin.waitForURL(`${agent.url}/`);
});

afterAll(async () => {
  await browser?.close();
  await agent.end();
  agent.remove();
});

function newContext(locale: string, width: number): Promise<BrowserContext> {
  return browser.newContext({ viewport: { width, height: 900 }, locale });
}

/** What the agent answers a message on the socket with, which no button of the page sends. */
function asked(page: Page, path: string, input: unknown): Promise<string> {
  const message = JSON.stringify({ id: 1, method: 'mutation', params: { path, input } });
  const script = `new Promise((resolve) => {
    const socket = new WebSocket(location.origin.replace('http', 'ws') + '/trpc');
    socket.onopen = () => socket.send(${JSON.stringify(message)});
    socket.onmessage = ({ data }) => { if (data.startsWith('{')) { resolve(data); socket.close(); } };
  })`;
  return page.evaluate(script) as Promise<string>;
}

describe('people', () => {
  it('come by a link that an admin makes, by the keyboard alone', async () => {
    await admin.getByRole('button', { name: 'Language, Theme' }).focus();
    await admin.keyboard.press('Enter');
    await admin.getByRole('link', { name: 'All settings' }).focus();
    await admin.keyboard.press('Enter');
    await admin.waitForURL('**/settings');
    await admin.getByRole('textbox', { name: 'Name of somebody new' }).focus();
    await admin.keyboard.type('Ada');
    await admin.keyboard.press('Enter');
    const link = await admin
      .getByRole('status')
      .getByText(/\/pair#/)
      .innerText();
    await expectAccessible(admin);
    ada = await (await newContext('en-US', 1280)).newPage();
    await ada.goto(link);
    await ada.waitForURL(`${agent.url}/`);
    await admin.getByRole('region', { name: 'Audit' }).getByRole('button', { name: 'Look again' }).click();
    await admin.getByText('pair a browser').first().waitFor();
  });

  it('see everything as viewers, and are offered and allowed no change', async () => {
    await ada.goto(`${agent.url}/host`);
    const runs = ada.getByRole('combobox', { name: 'Runs at a time' });
    await runs.waitFor();
    expect(await runs.isDisabled()).toBe(true);
    expect(await asked(ada, 'queue.setConcurrency', { device: 'cpu', runs: 3 })).toContain('"not_allowed"');
    expect(await asked(ada, 'people.setRole', { person: 'x', role: 'admin' })).toContain('"not_allowed"');
    await ada.goto(`${agent.url}/recipes`);
    await ada.getByText('Ready to start').waitFor();
    expect(await ada.getByRole('button', { name: 'Start training' }).isDisabled()).toBe(true);
    expect(await ada.getByRole('button', { name: 'Save', exact: true }).isDisabled()).toBe(true);
    await ada.goto(`${agent.url}/settings`);
    await ada.getByText('sees everything and changes nothing').waitFor();
    await expectAccessible(ada);
    expect(await ada.getByRole('region', { name: 'People' }).count()).toBe(0);
    const about = ada.getByRole('region', { name: 'About Anneal' });
    expect(await about.innerText()).toMatch(/Version\s+\d+\.\d+\.\d+[\s\S]*Apache-2\.0/);
    const [licenses] = await Promise.all([ada.waitForEvent('popup'), about.getByRole('link').click()]);
    for (const name of ['react-dom', 'hono', 'zod']) expect(await licenses.innerText('body')).toContain(`\n${name} `);
    await licenses.close();
  });

  it('may more as soon as an admin says so', async () => {
    await ada.goto(`${agent.url}/host`);
    await admin.reload();
    await admin.getByRole('combobox', { name: 'Role of Ada' }).selectOption('operator');
    const runs = ada.getByRole('combobox', { name: 'Runs at a time' });
    await expect.poll(() => runs.isDisabled(), { timeout: 20_000 }).toBe(false);
    await runs.selectOption('2');
    await expect.poll(() => runs.inputValue(), { timeout: 20_000 }).toBe('2');
    expect(await asked(ada, 'queue.setConcurrency', { device: 'cpu', runs: 1 })).toContain('"result"');
    await expect.poll(() => runs.inputValue(), { timeout: 20_000 }).toBe('1');
  });

  it('are out at once when they are removed, and what they did is on record', async () => {
    await admin.getByRole('button', { name: 'Remove Ada' }).click();
    await expectAccessible(admin);
    await admin.getByRole('alertdialog').getByRole('button', { name: 'Remove Ada' }).click();
    await ada.waitForURL('**/pair', { timeout: 20_000 });
    await admin.getByRole('region', { name: 'Audit' }).getByRole('button', { name: 'Look again' }).click();
    await admin.getByText('Remove somebody', { exact: true }).waitFor();
    await admin.getByPlaceholder('Filter by name, action or outcome').fill('not_allowed');
    const refusals = admin.getByRole('region', { name: 'Audit' }).getByRole('listitem').filter({ hasText: 'Ada' });
    await expect.poll(() => refusals.count(), { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
  });

  it('find the settings in Chinese, on a phone', async () => {
    const storageState = await admin.context().storageState();
    const context = await browser.newContext({ viewport: { width: 390, height: 800 }, locale: 'zh-CN', storageState });
    const page = await context.newPage();
    await page.goto(`${agent.url}/settings`);
    await page.getByRole('heading', { name: '人员' }).waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await expectAccessible(page);
    await page.getByRole('button', { name: '退出登录' }).click();
    await page.waitForURL('**/pair');
    await context.close();
  });

  it('said nothing in the console', () => {
    expect(said.filter((text) => !text.includes('/trpc'))).toEqual([]);
  });
});
