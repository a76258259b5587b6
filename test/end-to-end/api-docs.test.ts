import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { barriersIn } from '../support/barriers.ts';
import { launchBrowser } from '../support/browser.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { chromium } from '../support/tools.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const sample = fileURLToPath(new URL('../fixtures/sample.jpg', import.meta.url));

describe.skipIf(chromium === undefined)('the pages /docs and /problems in Chromium', () => {
  let service: Service;
  let browser: Browser;
  let page: Page;
  /** Requests that leave the service's origin, and errors in the console. */
  let complaints: string[];

  beforeAll(async () => {
    const built = await run(process.execPath, ['src/playground/build.ts'], { cwd: repository });
    expect(built.code, built.stderr).toBe(0);
    service = await startService();
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });
  beforeEach(async () => {
    complaints = [];
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    context.on('request', (request) => {
      if (!request.url().startsWith(service.url) && !request.url().startsWith('blob:'))
        complaints.push(request.url());
    });
    context.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    context.on('weberror', (error) => complaints.push(error.error().message));
    page = await context.newPage();
    return () => context.close();
  });

  async function openDocs(fragment = ''): Promise<void> {
    await page.goto(`${service.url}/docs${fragment}`);
    await page.locator('.operation').first().waitFor();
  }

  const obstacles = () => barriersIn(page, { impact: 'any' });

  it('sends a file with the options of an example, and shows the image of the response', async () => {
    await openDocs('#post-v1-images');
    const operation = page.getByRole('region', { name: 'POST /v1/images' });
    await operation.getByText('Try it').click();
    await operation.getByLabel('Example').selectOption('A thumbnail');
    await operation.locator('input[type=file]').setInputFiles(sample);
    await operation.getByRole('button', { name: 'Send' }).click();
    const image = operation.getByRole('img', { name: 'The image of the response' });
    await image.waitFor();
    expect(
      await page.evaluate(
        "document.querySelector('.try-result img').decode().then(() => document.querySelector('.try-result img').naturalWidth)",
      ),
    ).toBe(320);
    expect(await operation.locator('.try-result .status').textContent()).toMatch(/^200 OK · image\/webp · /);
    expect(complaints).toEqual([]);
  });

  it('offers a tensor as a file, and shows the problem of a refused request', async () => {
    await openDocs('#post-v1-images');
    const operation = page.getByRole('region', { name: 'POST /v1/images' });
    await operation.getByText('Try it').click();
    await operation.getByRole('button', { name: 'Send' }).click();
    await operation.getByText('Choose a file first.').waitFor();
    await operation.locator('input[type=file]').setInputFiles(sample);
    await operation.getByRole('button', { name: 'Send' }).click();
    const downloading = page.waitForEvent('download');
    await operation.getByRole('link', { name: 'Save the body' }).click();
    expect((await downloading).suggestedFilename()).toBe('response.npy');
    await operation.getByLabel('Fields, as JSON').fill('{"widht": 3}');
    await operation.getByRole('button', { name: 'Send' }).click();
    const body = operation.getByRole('region', { name: 'Body of the response' });
    await body.waitFor();
    expect(JSON.parse((await body.textContent()) ?? '')).toMatchObject({ reason: 'OPTION_UNKNOWN' });
  });

  it('fills the parameters of a GET with its example', async () => {
    await openDocs('#get-v1-presets-name-');
    const operation = page.getByRole('region', { name: 'GET /v1/presets/{name}' });
    await operation.getByText('Try it').click();
    await operation.getByRole('button', { name: 'Send' }).click();
    const body = operation.getByRole('region', { name: 'Body of the response' });
    await body.waitFor();
    expect(JSON.parse((await body.textContent()) ?? '')).toMatchObject({
      name: 'openai/clip-vit-base-patch32',
    });
    expect(complaints).toEqual([]);
  });

  it('leaves the sections that contain all words of a search', async () => {
    await openDocs();
    const sections = page.locator('section.operation:visible');
    const all = await sections.count();
    await page.getByRole('searchbox', { name: 'Search', exact: true }).fill('shortest_edge crop');
    await page.getByRole('status').filter({ hasText: 'sections' }).waitFor();
    expect(await page.getByRole('region', { name: 'POST /v1/images' }).isVisible()).toBe(true);
    expect(await page.getByRole('region', { name: 'GET /healthz' }).isVisible()).toBe(false);
    expect(await sections.count()).toBeLessThan(all);
  });

  it('has variants that Response.formData() of the browser reads', async () => {
    await openDocs();
    const variants = JSON.stringify([
      { name: 'a', width: 8 },
      { width: 4, format: 'png' },
    ]);
    const files = await page.evaluate(
      `(async () => {
        const body = Uint8Array.fromBase64(${JSON.stringify(readFileSync(sample).toString('base64'))});
        const url = '/v1/images?variants=' + encodeURIComponent(${JSON.stringify(variants)});
        const headers = { accept: 'multipart/form-data', 'content-type': 'image/jpeg' };
        const form = await (await fetch(url, { method: 'POST', body, headers })).formData();
        return [...form].map(([name, file]) => [name, file.name, file.type]);
      })()`,
    );
    expect(files).toEqual([
      ['a', 'a.jpg', 'image/jpeg'],
      ['1', '1.png', 'image/png'],
    ]);
  });

  describe.each(['light', 'dark'] as const)('in %s colours', (colorScheme) => {
    it.each(['/docs', '/docs#post-v1-images', '/problems', '/problems/OPTION_INVALID'])(
      'has no obstacle that axe finds at %s, fits a phone, and asks nobody else',
      async (path) => {
        await page.emulateMedia({ colorScheme });
        for (const width of [1440, 390]) {
          await page.setViewportSize({ width, height: 844 });
          await page.goto(service.url + path);
          await page.locator('.operation').first().waitFor();
          expect(await obstacles(), String(width)).toEqual([]);
          expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBe(width);
        }
        expect(complaints).toEqual([]);
      },
    );
  });
});
