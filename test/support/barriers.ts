import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

/** A finding of axe. */
interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A phone, a tablet and a desk. */
const widths = [390, 900, 1440];

/** Where axe looks, and what counts. */
interface Search {
  /** A selector. Default: the whole page. */
  readonly within?: string;
  /** Default: `serious`, and with it `critical`. `any`: all findings. */
  readonly impact?: 'serious' | 'any';
}

/** The barriers that axe finds in a page as it is: the rule and the elements of each. */
export async function barriersIn(
  page: Page,
  { within = 'html', impact: least = 'serious' }: Search = {},
): Promise<string[]> {
  // The value of the last line is passed on, and axe's own cannot be.
  await page.evaluate(`${axe};0`);
  const { violations } = await page.evaluate<{ violations: Violation[] }>(
    `axe.run(${JSON.stringify(within)})`,
  );
  return violations
    .filter(({ impact }) => least === 'any' || impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** The barriers at each width in both themes, and where something sticks out. */
export async function barriersAtEachWidth(page: Page, search: Search = {}): Promise<string[]> {
  const found: string[] = [];
  for (const width of widths) {
    await page.setViewportSize({ width, height: 860 });
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    if (overflow > 0) found.push(`${width}: ${overflow} pixels stick out`);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const barrier of await barriersIn(page, search)) {
        found.push(`${width} ${colorScheme} ${barrier}`);
      }
    }
  }
  return found;
}
