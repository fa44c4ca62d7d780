/** A Chromium: the one of this machine, else the one that an npm package brings along. */
import { existsSync } from 'node:fs';
import chromiumPackage from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

const installed = [
  process.env.ANNEAL_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && existsSync(path));

/** ANNEAL_CHROMIUM names a browser, or says `package` for that of the npm package. */
export async function openBrowser(): Promise<Browser> {
  if (installed !== undefined && process.env.ANNEAL_CHROMIUM !== 'package') {
    const args = [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-sync',
    ];
    return chromium.launch({ executablePath: installed, args });
  }
  const executablePath = await chromiumPackage.executablePath();
  return chromium.launch({ executablePath, args: chromiumPackage.args });
}
