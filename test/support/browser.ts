import { type Browser, chromium as playwright } from 'playwright-core';
import { chromium } from './tools.ts';

/** Starts the machine's Chromium, which contacts no service of its vendor. A test closes it. */
export function launchBrowser(): Promise<Browser> {
  return playwright.launch({
    executablePath: chromium ?? '',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}
