import { readFile } from 'node:fs/promises';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { barriersAtEachWidth } from './barriers.ts';

export type PlaygroundPage = Awaited<ReturnType<typeof newPlaygroundPage>>;

/** A page in a context of its own, with the steps that tests of the playground have in common. */
export async function newPlaygroundPage(browser: Browser, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    permissions: ['clipboard-read', 'clipboard-write'],
    ...options,
  });
  /** Errors that the page logged. */
  const complaints: string[] = [];
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(error.error().message));
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();

  /** Waits for the announcement of a response, and returns it. */
  async function announced(timeout?: number): Promise<string> {
    const live = page.locator('#live:not(:empty)');
    await live.waitFor({ state: 'attached', ...(timeout !== undefined && { timeout }) });
    return (await live.textContent()) ?? '';
  }

  return {
    context,
    page,
    complaints,
    /** Opens the playground and waits for the response to the sample. */
    async open(url: string): Promise<string> {
      await page.goto(url);
      // The first page compiles its script, and the service makes its first image: the test's own time limit holds.
      return announced(0);
    },
    /** Does something and returns the announcement of the resulting response. */
    async announcedAfter(act: () => Promise<unknown>): Promise<string> {
      await page.evaluate("document.querySelector('#live').textContent = ''");
      await act();
      return announced();
    },
    upload: (name: string, bytes: Uint8Array, mimeType = 'image/png') =>
      page.setInputFiles('#file', { name, mimeType, buffer: Buffer.from(bytes) }),
    /** Chooses one of a group of buttons, as the mouse does. */
    choose: (label: string) => page.getByRole('radio', { name: label, exact: true }).click(),
    /** The barriers at each width in both themes, and where something sticks out. */
    barriers: () => barriersAtEachWidth(page),
    /** Follows a link that saves a file. */
    async downloaded(selector = '#download'): Promise<{ name: string; bytes: Buffer }> {
      const [download] = await Promise.all([page.waitForEvent('download'), page.click(selector)]);
      return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
    },
  };
}
