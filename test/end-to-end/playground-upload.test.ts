import { setTimeout as sleep } from 'node:timers/promises';
import { unzipSync } from 'fflate';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { encoded, photoLike, redGreenBlue, solid } from '../support/pictures.ts';
import { newPlaygroundPage, type PlaygroundPage } from '../support/playground-page.ts';
import { type Service, startService } from '../support/service.ts';
import { chromium } from '../support/tools.ts';

/** More than the page's own sample has. */
const maxUploadBytes = 700_000;

describe.skipIf(chromium === undefined)('sending images from the playground', () => {
  let service: Service;
  let origin: Origin;
  let browser: Browser;
  let playground: PlaygroundPage;
  /** How often the origin has been asked for its busy image. */
  let busyRequests = 0;

  beforeAll(async () => {
    const picture = await encoded(redGreenBlue, 'png');
    origin = await startOrigin((request, response) => {
      // It never responds to any other path.
      if (request.url !== '/busy.png') return;
      busyRequests++;
      if (busyRequests > 1) response.writeHead(200, { 'content-type': 'image/png' }).end(picture);
      else response.writeHead(503, { 'retry-after': '2' }).end();
    });
    service = await startService({
      api: { MAX_UPLOAD_BYTES: String(maxUploadBytes) },
      processor: { URL_ALLOWED_HOSTS: `127.0.0.1:${origin.port}` },
    });
    browser = await launchBrowser();
    playground = await newPlaygroundPage(browser);
    await playground.open(service.url);
  }, 120_000);

  afterAll(async () => {
    // Chromium logs each response that is an error.
    expect(playground?.complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
    await browser?.close();
    await service?.stop();
    await origin?.[Symbol.asyncDispose]();
  });

  /** Calls that the service counted as left by their callers. */
  async function leftCalls(): Promise<number> {
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    const counts = metrics.matchAll(/^http_requests_total\{[^}]*status="499"[^}]*\} (\d+)/gm);
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  it('shows the image at once and its upload in percent, and stops the service on Cancel', async () => {
    const { page, upload, context } = playground;
    const before = await leftCalls();
    const devTools = await context.newCDPSession(page);
    await devTools.send('Network.enable');
    const network = { offline: false, latency: 0, downloadThroughput: -1 };
    await devTools.send('Network.emulateNetworkConditions', { ...network, uploadThroughput: 20_000 });
    await upload('photo.png', await encoded(photoLike(400, 300), 'png'));
    await page.locator('#progress-text', { hasText: /^Uploading [1-9]\d? % of \d+/ }).waitFor();
    expect(await page.textContent('#stage .tag:not(:empty)')).toBe('photo.png');
    expect(await page.getAttribute('#progress-bar', 'value')).toMatch(/^0\.\d/);
    expect(await page.isVisible('#download')).toBe(false);
    await page.click('#cancel');
    await page.locator('#stale-note', { hasText: 'Cancelled. Press Process to send it again.' }).waitFor();
    expect(await page.isVisible('#progress')).toBe(false);
    while ((await leftCalls()) === before) await sleep(50);
    await devTools.send('Network.emulateNetworkConditions', { ...network, uploadThroughput: -1 });
  }, 120_000);

  it('stops the work of the service on Escape', async () => {
    const { page } = playground;
    await page.fill('#url', origin.url('/never.png'));
    await page.click('#load');
    await page.locator('#progress-text', { hasText: 'Processing…' }).waitFor();
    while (!origin.requests.some(({ path }) => path === '/never.png')) await sleep(50);
    await page.keyboard.press('Escape');
    await page.locator('#stale-note', { hasText: /^Cancelled\./ }).waitFor();
    // The processor has closed its connection to the origin.
    await origin.idle();
  }, 120_000);

  it('does not send a file that the service would refuse', async () => {
    const { page, upload, announcedAfter } = playground;
    const calls: string[] = [];
    page.on('request', (request) => calls.push(request.url()));
    await upload('large.png', await encoded(photoLike(800, 600), 'png'));
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(
      /SOURCE_BYTES_OVER_LIMIT.*large\.png has .* this service takes at most 700\.0 kB\. It was not sent/s,
    );
    expect(calls.filter((url) => url.includes('/Process'))).toEqual([]);
    await announcedAfter(async () => upload('small.png', await encoded(redGreenBlue, 'png')));
    expect(await alert.isVisible()).toBe(false);
  }, 120_000);

  it('says so where the browser cannot draw the file, and shows the result', async () => {
    const { page, upload, announcedAfter } = playground;
    await announcedAfter(async () => upload('scan.tiff', await encoded(redGreenBlue, 'tiff'), 'image/tiff'));
    expect(await page.textContent('#preview-note')).toBe(
      'This browser cannot draw scan.tiff. Its picture comes with the result, from the service.',
    );
  }, 120_000);

  it('waits as long as the service asks, visibly, and then goes on', async () => {
    const { page, announcedAfter } = playground;
    busyRequests = 0;
    await page.fill('#url', origin.url('/busy.png'));
    const announced = announcedAfter(() => page.click('#load'));
    await page.getByText(/^The service asked to wait\. The next attempt is in \d s\.$/).waitFor();
    expect(await page.getByRole('alert').textContent()).toContain('ORIGIN_BUSY');
    await announced;
    expect(busyRequests).toBeGreaterThan(1);
    expect(await page.isVisible('#countdown')).toBe(false);
    expect(await page.getByRole('alert').isVisible()).toBe(false);
  }, 120_000);

  it('marks a former result, and offers no download of it', async () => {
    const { page, choose, announcedAfter } = playground;
    await choose('Options');
    await page.fill('#width', '0');
    await page.getByRole('alert').waitFor();
    await page.getByText('No result for these settings. The former result is shown pale.').waitFor();
    expect(await page.isVisible('#download')).toBe(false);
    await announcedAfter(() => page.fill('#width', '20'));
    expect(await page.isVisible('#stale-note')).toBe(false);
    expect(await page.isVisible('#download')).toBe(true);
  }, 120_000);

  it('processes several files, each with its own end, and saves them as one archive', async () => {
    const { page, choose, announcedAfter, downloaded } = playground;
    await choose('Options');
    await page.fill('#width', '20');
    await announcedAfter(() => choose('Image'));
    const files = [
      ['a.png', await encoded(solid(8, 8, [255, 0, 0]), 'png')],
      ['broken.png', Buffer.from('no image at all')],
      ['b.png', await encoded(solid(9, 9, [0, 255, 0]), 'png')],
      ['large.png', await encoded(photoLike(800, 600), 'png')],
    ] as const;
    await announcedAfter(() =>
      page.setInputFiles(
        '#file',
        files.map(([name, bytes]) => ({ name, mimeType: 'image/png', buffer: Buffer.from(bytes) })),
      ),
    );
    await page.getByText('2 of 4 images done, 2 failed').waitFor();
    const states = await page.evaluate(
      "[...document.querySelectorAll('#file-list li')].map((item) => item.dataset.state)",
    );
    expect(states).toEqual(['done', 'failed', 'done', 'failed']);
    const { name, bytes } = await downloaded('#download-all');
    expect(name).toBe('images.zip');
    expect(Object.keys(unzipSync(bytes))).toEqual(['a.20x768.png', 'b.20x768.png']);

    await page.locator('#file-list button.file', { hasText: 'broken.png' }).click();
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').textContent()).toContain('FORMAT_UNSUPPORTED');
    await page.getByRole('button', { name: 'Remove large.png' }).click();
    await announcedAfter(() => page.getByRole('button', { name: 'Remove broken.png' }).click());
    await page.getByText('2 of 2 images done').waitFor();
    // The settings hold for all images.
    await announcedAfter(() => page.fill('#width', '30'));
    await page.getByText('2 of 2 images done').waitFor();
    expect(Object.keys(unzipSync((await downloaded('#download-all')).bytes))).toEqual([
      'a.30x768.png',
      'b.30x768.png',
    ]);
  }, 120_000);
});
