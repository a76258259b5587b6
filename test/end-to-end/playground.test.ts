import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { describeOption } from '../../src/options/combinations.ts';
import { barriersIn } from '../support/barriers.ts';
import { launchBrowser } from '../support/browser.ts';
import { type Origin, routes, sends, startOrigin } from '../support/origin.ts';
import { decoded, encoded, redGreenBlue, solid } from '../support/pictures.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { chromium } from '../support/tools.ts';

describe.skipIf(chromium === undefined)('the playground in Chromium', () => {
  let service: Service;
  let origin: Origin;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let folder: string;
  /** The requests of the pages, and the errors that they logged. */
  let requests: string[];
  let complaints: string[];

  beforeAll(async () => {
    const picture = await encoded(redGreenBlue, 'png');
    origin = await startOrigin(
      routes({ '/red green.png?size=3': sends(picture), '/red%20green.png': sends(picture) }),
    );
    service = await startService({ processor: { URL_ALLOWED_HOSTS: `127.0.0.1:${origin.port}` } });
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await origin?.[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'playground-'));
    requests = [];
    complaints = [];
    context = await browser.newContext({
      viewport: { width: 1280, height: 860 },
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    context.on('request', (request) => requests.push(request.url()));
    context.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    context.on('weberror', (error) => complaints.push(error.error().message));
    context.setDefaultTimeout(30_000);
    page = await context.newPage();
  });

  afterEach(async () => {
    await context.close();
    await rm(folder, { recursive: true });
  });

  /** Does something and returns the announcement of the resulting response. */
  async function announcedAfter(act: () => Promise<unknown>): Promise<string> {
    await page.evaluate("document.querySelector('#live').textContent = ''");
    await act();
    const live = page.locator('#live:not(:empty)');
    await live.waitFor({ state: 'attached' });
    return (await live.textContent()) ?? '';
  }

  /** Opens the page with options of its own instead of a preset, and waits for the sample's response. */
  function open(query = '?recipe=own&output=image&view=slider&container=npy'): Promise<string> {
    return openPage(`${service.url}/${query}`);
  }

  async function openPage(url: string): Promise<string> {
    await page.goto(url);
    const live = page.locator('#live:not(:empty)');
    // The first page compiles its script, and the service makes its first image: the test's own time limit holds.
    await live.waitFor({ state: 'attached', timeout: 0 });
    return (await live.textContent()) ?? '';
  }

  function upload(name: string, bytes: Uint8Array, mimeType = 'image/png') {
    return page.setInputFiles('#file', { name, mimeType, buffer: Buffer.from(bytes) });
  }

  /** Chooses one of a group of buttons, as the mouse does. */
  function choose(label: string) {
    return page.getByRole('radio', { name: label, exact: true }).click();
  }

  async function downloaded(): Promise<{ name: string; bytes: Buffer }> {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download')]);
    return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
  }

  it('shows the sample at once, with figures, and connects only to its service', async () => {
    expect(await open()).toMatch(/^Result 1024 × 768 jpeg, [\d.]+ kB, cache miss\.$/);
    expect(await page.textContent('#facts')).toMatch(/jpeg, 1280 × 960.*cache miss.*decode.*resize.*encode/s);
    expect(await page.textContent('#readout')).toMatch(
      /^Middle: x 512, y 384 {3}· {3}Source \d+ \d+ \d+ {3}· {3}Result \d+$/,
    );
    const others = requests.filter((url) => !url.startsWith(`${service.url}/`) && !url.startsWith('blob:'));
    expect(others).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('processes a chosen image into gray pixels that can be read and saved', async () => {
    await open();
    await announcedAfter(() => page.selectOption('#sizing', 'source'));
    const announced = await announcedAfter(async () =>
      upload('colours.png', await encoded(redGreenBlue, 'png')),
    );
    expect(announced).toMatch(/^Result 3 × 1 png, /);
    const { name, bytes } = await downloaded();
    expect(name).toBe('colours.png');
    expect((await decoded(bytes)).pixels).toEqual(new Uint8Array([76, 150, 29]));
    await page.hover('#stage');
    expect(await page.textContent('#readout')).toBe('x 1, y 0   ·   Source 0 255 0   ·   Result 150');
  });

  it('processes an image that is pasted, and one that is dropped', async () => {
    await open();
    const bytes = JSON.stringify([...(await encoded(solid(5, 4, [9, 9, 9]), 'png'))]);
    for (const [event, member] of [
      ['ClipboardEvent', 'paste'],
      ['DragEvent', 'drop'],
    ]) {
      await announcedAfter(() =>
        page.evaluate(`{
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(${bytes})], '${member}.png', { type: 'image/png' }));
          const options = { bubbles: true, cancelable: true, clipboardData: data, dataTransfer: data };
          document.body.dispatchEvent(new ${event}('${member}', options));
        }`),
      );
      expect(await page.textContent('#source-name')).toMatch(new RegExp(`^${member}\\.png, \\d+ bytes$`));
      expect(await page.textContent('#facts')).toContain('png, 5 × 4');
    }
  });

  it('lets the service download a URL, and shows its source', async () => {
    await open();
    await announcedAfter(() => page.selectOption('#sizing', 'source'));
    await page.fill('#url', origin.url('/red%20green.png'));
    expect(await announcedAfter(() => page.press('#url', 'Enter'))).toMatch(/^Result 3 × 1 png, /);
    await page.hover('#stage');
    expect(await page.textContent('#readout')).toContain('Source 0 255 0');
    expect(requests.filter((url) => url.includes(`:${origin.port}`))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('turns gray off and on', async () => {
    await open();
    await announcedAfter(async () => upload('red.png', await encoded(solid(8, 8, [255, 0, 0]), 'png')));
    expect(await page.textContent('#readout')).toMatch(/Result 76$/);
    await announcedAfter(() => page.uncheck('#grayscale'));
    expect(await page.textContent('#readout')).toMatch(/Result 255 0 0$/);
  });

  it("shows a preset's tensor as channels with their figures, and saves it as npy", async () => {
    await open();
    await announcedAfter(async () => upload('red.png', await encoded(solid(9, 9, [255, 0, 0]), 'png')));
    await announcedAfter(() => choose('Model preset'));
    await page.getByText('Steps, and the same in Python').click();
    await page.getByText('crop 224 × 224 from the centre').waitFor();
    expect(await page.textContent('#preset-summary')).toBe('transformers · Model page');
    expect(await page.getByRole('link', { name: 'Model page' }).getAttribute('href')).toBe(
      'https://huggingface.co/openai/clip-vit-base-patch32',
    );
    expect(await page.locator('#preset-steps li').allTextContents()).toContain(
      'resize the shorter side to 224 (bicubic, torch)',
    );
    expect(await page.textContent('#preset-python')).toContain('AutoImageProcessor.from_pretrained');
    await announcedAfter(() => choose('Tensor'));
    expect(await announcedAfter(() => choose('Channels'))).toMatch(
      /^Tensor FP32 1 × 3 × 224 × 224, 602\.2 kB/,
    );
    // (1 − 0.48145466) / 0.26862954, −0.4578275 / 0.26130258 and −0.40821073 / 0.27577711
    const figures = ['1.93', '−1.752', '−1.48'];
    for (const [index, channel] of ['R', 'G', 'B'].entries()) {
      const shown = await page.locator(`[data-channel=${channel}] dl`).textContent();
      const figure = figures[index];
      expect(shown).toMatch(new RegExp(`^range${figure} … ${figure}mean${figure}std(0|[\\d.]+e−\\d+)$`));
      expect(await page.locator(`[data-channel=${channel}] svg`).getAttribute('aria-label')).toContain(
        '50176',
      );
    }
    const { name, bytes } = await downloaded();
    expect(name).toBe('red.clip-vit-base-patch32.npy');
    expect(bytes.subarray(1, 6).toString()).toBe('NUMPY');
    expect(bytes.readFloatLE(bytes.length - 602_112)).toBeCloseTo(1.9303, 4);
    expect(complaints).toEqual([]);
  });

  it.each(['raw', 'npy', 'safetensors', 'npz'])(
    'reads a tensor of its own settings in %s',
    async (container) => {
      await open();
      await announcedAfter(() => page.selectOption('#sizing', 'source'));
      await announcedAfter(async () => upload('colours.png', await encoded(redGreenBlue, 'png')));
      await page.uncheck('#grayscale');
      await announcedAfter(() => choose('Tensor'));
      await announcedAfter(() => choose('Channels'));
      await page.getByText('Layout and values').click();
      await page.selectOption('#datatype', 'fp16');
      await page.selectOption('#layout', 'nhwc');
      await page.selectOption('#container', container);
      await announcedAfter(() => page.fill('#mean', '0.5'));
      for (const channel of ['R', 'G', 'B']) {
        expect(await page.locator(`[data-channel=${channel}] dl`).textContent()).toMatch(
          /^range−0\.5 … 0\.5mean−0\.1667/,
        );
      }
    },
  );

  it('searches the presets at /docs, and shows what one of them does', async () => {
    await page.goto(`${service.url}/docs`);
    await page.fill('#preset-words', 'transformers clip patch32');
    await page.getByRole('button', { name: 'openai/clip-vit-base-patch32' }).click();
    await page.locator('#preset-details').getByText('crop 224 × 224 from the centre').waitFor();
    expect(await page.locator('#preset-details pre').textContent()).toContain('AutoImageProcessor');
    await page.fill('#preset-words', 'no such model');
    await page.getByText('No preset has these words.').waitFor();
    expect(complaints).toEqual([]);
  });

  it('reports a preset that does not exist, and offers the nearest', async () => {
    await open('');
    await page.fill('#preset', 'clip-vit-base-patch23');
    await page.press('#preset', 'Enter');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(
      /There is no such preset PRESET_UNKNOWN.*Nearest to it: openai\/clip-vit-base-patch32/s,
    );
    expect(await page.getAttribute('#preset', 'aria-invalid')).toBe('true');
    await announcedAfter(() =>
      page.getByRole('button', { name: 'Use openai/clip-vit-base-patch32' }).click(),
    );
    expect(await alert.isVisible()).toBe(false);
    expect(await page.getAttribute('#preset', 'aria-invalid')).toBeNull();
  });

  it('names an invalid field, and explains what to do with a file that is no image', async () => {
    await open();
    const alert = page.getByRole('alert');
    await page.fill('#width', '70000');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(
      /OPTION_INVALID.*width is "70000"; allowed: a whole number from 1 to 65535/s,
    );
    expect(await page.getAttribute('#width', 'aria-invalid')).toBe('true');
    await announcedAfter(() => page.fill('#width', '10'));
    await upload('words.png', Buffer.from('no image at all'));
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/FORMAT_UNSUPPORTED.*Choose a JPEG, PNG/s);
  });

  it('reports that the browser is offline, and recovers', async () => {
    await open();
    await context.setOffline(true);
    await page.click('#run');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/You are offline OFFLINE.*when the network is back/s);
    await context.setOffline(false);
    await announcedAfter(() => page.click('#run'));
    expect(await alert.isVisible()).toBe(false);
  });

  it('sends a call again that is under way when the network comes back', async () => {
    await open();
    let calls = 0;
    await page.route('**/image.v1.ProcessorService/*', async (route) => {
      calls++;
      if (calls > 1) return await route.continue();
      await context.setOffline(true);
      await context.setOffline(false);
      // The page may have cancelled it already.
      await route.abort('internetdisconnected').catch(() => {});
    });
    try {
      await announcedAfter(() => page.click('#run'));
    } finally {
      await page.unroute('**/image.v1.ProcessorService/*');
    }
    expect(calls).toBe(2);
    expect(await page.getByRole('alert').isVisible()).toBe(false);
  });

  it('asks for an API key where one is needed, and keeps it only in memory', async () => {
    const key = 'a key of this test';
    const secret = key.replaceAll(' ', '-');
    const keys = join(folder, 'keys.json');
    const entry = { id: 'team', sha256: createHash('sha256').update(secret).digest('hex') };
    await writeFile(keys, JSON.stringify({ keys: [entry] }), { mode: 0o600 });
    await using guarded = await startService({ api: { API_KEYS_FILE: keys } });
    await page.goto(`${guarded.url}/?recipe=own&output=image&view=slider`);
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/asks for an API key UNAUTHENTICATED/);
    await page.getByLabel('Sent as a Bearer token').fill(secret);
    await announcedAfter(() => page.press('#key', 'Enter'));
    expect(await alert.isVisible()).toBe(false);
    expect(
      await page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])'),
    ).toBe('[{},{},""]');
    const [save] = await Promise.all([page.waitForEvent('download'), page.click('#save-source')]);
    await save.saveAs(join(folder, save.suggestedFilename()));
    const call = (await page.textContent('#snippet')) ?? '';
    expect(call).not.toContain(secret);
    const copied = await run('sh', ['-c', call], { cwd: folder, env: { IMAGE_API_KEY: secret } });
    expect(copied, call).toMatchObject({ code: 0, stderr: '' });
    const output = await readFile(join(folder, 'output.jpg'));
    expect(await decoded(output)).toMatchObject({ width: 1024, height: 768, channels: 1 });
    await page.fill('#key', 'another');
    await page.press('#key', 'Enter');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/UNAUTHENTICATED.*Enter the key of your team/s);
    // It starts two more services.
  }, 90_000);

  /** Presses Tab until an element has the focus. */
  async function tabTo(id: string): Promise<void> {
    const passed: string[] = [];
    for (let presses = 0; presses < 80; presses++) {
      await page.keyboard.press('Tab');
      const focused = await page.evaluate<string>('document.activeElement.id');
      if (focused === id) return;
      passed.push(focused);
    }
    throw new Error(`Tab never came to #${id}, but to ${passed.join(', ')}`);
  }

  it('works with only the keyboard, and shows where the focus is', async () => {
    await open();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the result');
    for (const id of ['file', 'url', 'load', 'sample', 'width', 'grayscale']) {
      await tabTo(id);
      const outline = await page.evaluate<string>(`{
        const element = document.activeElement;
        const shown = element.type === 'file' ? element.closest('label') : element;
        getComputedStyle(shown).outlineStyle;
      }`);
      expect(outline, id).toBe('solid');
    }
    await announcedAfter(() => page.keyboard.press('Space'));
    expect(await page.isChecked('#grayscale')).toBe(false);
    await tabTo('run');
    await announcedAfter(() => page.keyboard.press('Enter'));
    await tabTo('stage');
    const before = await page.textContent('#zoom-level');
    await page.keyboard.press('+');
    expect(await page.textContent('#zoom-level')).not.toBe(before);
    await page.keyboard.press('1');
    expect(await page.textContent('#zoom-level')).toBe('100 %');
    await page.keyboard.press('ArrowRight');
    expect(await page.textContent('#readout')).toMatch(/^Middle: x 552, y 384/);
    await page.keyboard.press('0');
    expect(await page.textContent('#zoom-level')).toBe(before);
    await tabTo('slider');
    const divider = () => page.locator('.divider').getAttribute('style');
    const divided = await divider();
    await page.keyboard.press('ArrowRight');
    expect(await page.inputValue('#slider')).toBe('51');
    expect(await divider()).not.toBe(divided);
    await tabTo('tab-0');
    await page.keyboard.press('ArrowLeft');
    expect(await page.textContent('#snippet')).toContain('grpcurl');
    await page.keyboard.press('Home');
    expect(await page.textContent('#snippet')).toMatch(/^curl /);
    expect(complaints).toEqual([]);
  });

  it('is dark or light as the system or its button sets it', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await open();
    const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const dark = await background();
    await page.click('#theme');
    expect(await page.textContent('#theme')).toBe('Theme: light');
    const light = await background();
    expect(light).not.toBe(dark);
    await page.reload();
    expect(await background()).toBe(light);
    await page.click('#theme');
    expect(await background()).toBe(dark);
  });

  it.each([360, 1280, 1920])('has nothing that sticks out at a width of %i pixels', async (width) => {
    await page.setViewportSize({ width, height: 800 });
    const overflow = () => page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    await open();
    expect(await overflow()).toBeLessThanOrEqual(0);
    await announcedAfter(() => choose('Tensor'));
    expect(await overflow()).toBeLessThanOrEqual(0);
    await page.goto(`${service.url}/docs`);
    await page.locator('.operation').first().waitFor();
    expect(await overflow()).toBeLessThanOrEqual(0);
  });

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    it('is accessible in each of its states', async () => {
      await page.emulateMedia({ colorScheme });
      await open();
      expect(await barriersIn(page), 'image').toEqual([]);
      await announcedAfter(() => choose('Side by side'));
      expect(await barriersIn(page), 'side by side').toEqual([]);
      await announcedAfter(() => choose('Your stack'));
      expect(await barriersIn(page), 'comparison').toEqual([]);
      await announcedAfter(() => choose('Presets'));
      await page.click('#add-preset');
      await page.getByRole('listbox').waitFor();
      expect(await barriersIn(page), 'presets').toEqual([]);
      await announcedAfter(() => choose('Model preset'));
      await announcedAfter(() => choose('Tensor'));
      await announcedAfter(() => choose('Channels'));
      await page.getByRole('tab', { name: 'gRPC' }).click();
      expect(await barriersIn(page), 'tensor').toEqual([]);
      await page.fill('#preset', 'clip-vit-base-patch23');
      await page.press('#preset', 'Enter');
      await page.getByRole('alert').waitFor();
      expect(await barriersIn(page), 'error').toEqual([]);
      await page.goto(`${service.url}/docs`);
      await page.locator('.operation').first().waitFor();
      expect(await barriersIn(page), 'docs').toEqual([]);
    }, 120_000);
  });

  it('describes every operation of openapi.json at /docs', async () => {
    await page.goto(`${service.url}/docs`);
    await page.locator('.operation').first().waitFor();
    await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
    const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { summary: string }>>;
    };
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, { summary }]) => [`${method.toUpperCase()} ${path}`, summary]),
    );
    expect(operations.length).toBeGreaterThan(5);
    for (const [title = '', summary = ''] of operations) {
      const section = page.getByRole('region', { name: title, exact: true });
      expect(await section.count(), title).toBe(1);
      expect(await section.textContent(), title).toContain(summary);
    }
    const width = page
      .getByRole('region', { name: 'GET /v1/images' })
      .getByRole('row')
      .filter({ hasText: 'Width in pixels; wi' });
    expect(await width.getByRole('cell').allTextContents()).toEqual([
      'query',
      'integer 1 … 65535',
      '1024',
      describeOption('width'),
    ]);
    expect(complaints).toEqual([]);
  });

  it.each(['/', '/docs'])('weighs less than 150 KB compressed, all that %s needs', async (path) => {
    const weighed = async (url: string) => {
      const response = await fetch(url, { headers: { 'Accept-Encoding': 'gzip' } });
      expect(response.headers.get('content-encoding'), url).toBe('gzip');
      return { bytes: Number(response.headers.get('content-length')), text: await response.text() };
    };
    const { bytes, text } = await weighed(service.url + path);
    const names = new Set([...text.matchAll(/"(playground\/[^"]+)"/g)].map(([, name]) => name));
    expect(names.size).toBe(3);
    const parts = await Promise.all([...names].map((name) => weighed(`${service.url}/${name}`)));
    expect(bytes + parts.reduce((sum, part) => sum + part.bytes, 0)).toBeLessThan(150_000);
  });
});
