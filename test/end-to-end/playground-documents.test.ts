import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pdfFixture } from '../parity/pdf-goldens.ts';
import { launchBrowser } from '../support/browser.ts';
import { pagesPdf } from '../support/pdf.ts';
import { decoded } from '../support/pictures.ts';
import { newPlaygroundPage, type PlaygroundPage } from '../support/playground-page.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { chromium } from '../support/tools.ts';

const password = 'réponse';
const type = 'application/pdf';

/** Three pages of one colour each: red, green and blue. */
const coloured = pagesPdf(
  ['1 0 0', '0 1 0', '0 0 1'].map((colour) => ({
    mediaBox: [0, 0, 40, 30],
    content: `${colour} rg 0 0 40 30 re f`,
  })),
);

describe.skipIf(chromium === undefined)('documents in the playground', () => {
  let service: Service;
  let browser: Browser;
  let playground: PlaygroundPage;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'playground-documents-'));
    service = await startService({ processor: { WORKERS: '1' } });
    browser = await launchBrowser();
    playground = await newPlaygroundPage(browser);
    await playground.open(`${service.url}/?recipe=own&output=image&format=png&view=sides&sizing=source`);
  }, 120_000);

  afterAll(async () => {
    // Chromium logs each response that is an error.
    expect(playground?.complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
    await browser?.close();
    await service?.stop();
    await rm(folder, { recursive: true });
  });

  /** The colour of the stage at a part of its width, in the middle of its height. */
  async function colourAt(part: number): Promise<number[]> {
    const stage = playground.page.locator('#stage');
    const { pixels, width, height, channels } = await decoded(await stage.screenshot());
    const at = (Math.floor(height / 2) * width + Math.floor(part * width)) * channels;
    return [...pixels.subarray(at, at + 3)];
  }

  it('shows the page of the field as the source, and another one after a change', async () => {
    const { page, upload, announcedAfter } = playground;
    await announcedAfter(async () => page.uncheck('#grayscale'));
    await announcedAfter(() => upload('report.pdf', coloured, type));
    expect(await page.textContent('label[for=page]')).toBe('Page of 3');
    expect(await page.isVisible('#password-group')).toBe(false);
    // The source and the result are beside each other.
    expect([await colourAt(0.25), await colourAt(0.75)]).toEqual([
      [255, 0, 0],
      [255, 0, 0],
    ]);
    await announcedAfter(() => page.fill('#page', '3'));
    expect([await colourAt(0.25), await colourAt(0.75)]).toEqual([
      [0, 0, 255],
      [0, 0, 255],
    ]);
    expect(new URL(page.url()).searchParams.get('page')).toBe('3');
    expect(await page.textContent('#snippet')).toContain('--form-string page=3');
  }, 120_000);

  it('says which pages there are, and goes on with one of them', async () => {
    const { page, announcedAfter } = playground;
    await page.fill('#page', '4');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/PAGE_OUT_OF_RANGE.*has 3 pages/s);
    expect(await page.textContent('label[for=page]')).toBe('Page of 3');
    await announcedAfter(() => page.fill('#page', '2'));
    expect(await colourAt(0.25)).toEqual([0, 255, 0]);
  }, 120_000);

  it('compares libraries on the page of the field, and not on its document', async () => {
    const { page, choose, announcedAfter } = playground;
    await announcedAfter(() => page.selectOption('#sizing', 'box'));
    await announcedAfter(async () => {
      await page.fill('#width', '16');
      await page.fill('#height', '12');
    });
    await announcedAfter(() => choose('Your stack'));
    await announcedAfter(() => page.locator('input[name=rival][value=sharp]').click());
    expect(await page.getByRole('alert').isVisible()).toBe(false);
    await announcedAfter(() => choose('Side by side'));
    await announcedAfter(() => page.selectOption('#sizing', 'source'));
  }, 120_000);

  it('hides the fields for a picture', async () => {
    const { page, announcedAfter } = playground;
    await announcedAfter(() => page.click('#sample'));
    expect(await page.isVisible('#page-fields')).toBe(false);
    expect(page.url()).not.toContain('page=');
  }, 120_000);

  it('asks for the password of an encrypted document, and keeps it to itself', async () => {
    const { page, upload, announcedAfter, context } = playground;
    const bodies: string[] = [];
    page.on('request', (request) => bodies.push(request.url()));
    const alert = page.getByRole('alert');
    await upload('secret.pdf', pdfFixture('encrypted-aes-256'), type);
    await alert.waitFor();
    expect(await alert.textContent()).toContain('DOCUMENT_PASSWORD_REQUIRED');
    const field = page.getByLabel('Password of the document');
    await field.fill('guess');
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await alert.getByText('DOCUMENT_PASSWORD_WRONG').waitFor();
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    await field.fill(password);
    await announcedAfter(() => field.press('Enter'));
    expect(await alert.isVisible()).toBe(false);
    // The source is the page, drawn with the password too.
    expect(await page.textContent('#stage .tag:not(:empty)')).toBe('Source');
    await announcedAfter(() => page.fill('#dpi', '72'));
    const shown = await page.evaluate<string>(
      'JSON.stringify([location.href, history.state, { ...localStorage }, { ...sessionStorage }, document.cookie])',
    );
    const calls: string[] = [];
    for (const tab of await page.getByRole('tab').all()) {
      await tab.click();
      calls.push((await page.textContent('#snippet')) ?? '');
    }
    for (const text of [shown, ...calls, ...bodies]) {
      for (const secret of [password, encodeURIComponent(password), 'guess'])
        expect(text).not.toContain(secret);
    }
    expect(context.pages()).toHaveLength(1);
  }, 120_000);

  it('writes a call that reads the password from the environment', async () => {
    const { page, downloaded } = playground;
    await page.getByRole('tab', { name: 'curl' }).click();
    const call = (await page.textContent('#snippet')) ?? '';
    expect(call).toContain('-H "X-Document-Password: $IMAGE_DOCUMENT_PASSWORD"');
    const { bytes } = await downloaded('#download');
    await writeFile(join(folder, 'secret.pdf'), pdfFixture('encrypted-aes-256'));
    const env = { IMAGE_DOCUMENT_PASSWORD: password };
    const copied = await run('sh', ['-c', call], { cwd: folder, env });
    expect(copied, call).toMatchObject({ code: 0, stderr: '' });
    expect((await readFile(join(folder, 'output.png'))).equals(bytes)).toBe(true);
  }, 120_000);

  it('has no barriers with the fields of an encrypted document, at each width and in both themes', async () => {
    const { page, upload, barriers } = playground;
    await upload('again.pdf', pdfFixture('encrypted-rc4'), type);
    await page.getByRole('alert').getByText('DOCUMENT_PASSWORD_REQUIRED').waitFor();
    expect(await page.inputValue('#document-password')).toBe('');
    expect(await page.textContent('#snippet')).toContain('$IMAGE_DOCUMENT_PASSWORD');
    expect(await barriers()).toEqual([]);
  }, 120_000);
});
