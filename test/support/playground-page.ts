import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, BrowserContextOptions } from 'playwright-core';

/** A finding of axe. */
interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** A phone, a tablet and a desk. */
const widths = [390, 900, 1440];

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
    /** The barriers that axe finds at each width in both themes, and where something sticks out. */
    async barriers(): Promise<string[]> {
      await page.evaluate(
        await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'),
      );
      const found: string[] = [];
      for (const width of widths) {
        await page.setViewportSize({ width, height: 860 });
        const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
        if (overflow > 0) found.push(`${width}: ${overflow} pixels stick out`);
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          const { violations } = await page.evaluate<{ violations: Violation[] }>('axe.run(document)');
          for (const { id, impact, nodes } of violations) {
            if (impact !== 'serious' && impact !== 'critical') continue;
            found.push(`${width} ${colorScheme} ${id}: ${nodes.map(({ html }) => html).join(' ')}`);
          }
        }
      }
      return found;
    },
    /** Follows a link that saves a file. */
    async downloaded(selector = '#download'): Promise<{ name: string; bytes: Buffer }> {
      const [download] = await Promise.all([page.waitForEvent('download'), page.click(selector)]);
      return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
    },
  };
}
