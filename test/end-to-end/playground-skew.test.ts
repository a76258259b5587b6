import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barriersAtEachWidth } from '../support/barriers.ts';
import { launchBrowser } from '../support/browser.ts';
import { encoded, photoLike } from '../support/pictures.ts';
import { newPlaygroundPage, type PlaygroundPage } from '../support/playground-page.ts';
import { findPythonWith } from '../support/python.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { chromium, findProgram } from '../support/tools.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const imageClient = `"${process.execPath}" "${repository}src/client/bin.ts"`;
const python = findPythonWith('httpx', 'numpy');

/** Its mean and std are the same for all channels, so swapped channels are those of a BGR image. */
const preset = 'google/vit-base-patch16-224';

/** Of a .npy file, in bytes. */
const headerBytes = 128;
const planeBytes = 224 * 224 * 4;

describe.skipIf(chromium === undefined)(
  "another program's tensor in the playground",
  { timeout: 120_000 },
  () => {
    let service: Service;
    let browser: Browser;
    let playground: PlaygroundPage;
    let photo: Uint8Array;
    /** The expected tensor of the photo, as npy, and the one with its channels in BGR. */
    let expected: Buffer;
    let swapped: Buffer;

    beforeAll(async () => {
      service = await startService();
      browser = await launchBrowser();
      photo = await encoded(photoLike(300, 260), 'png');
      const response = await fetch(`${service.url}/v1/images?preset=${preset}&format=npy`, {
        method: 'POST',
        body: new Uint8Array(photo),
      });
      expected = Buffer.from(await response.arrayBuffer());
      const planes = [0, 1, 2].map((channel) =>
        expected.subarray(headerBytes + channel * planeBytes, headerBytes + (channel + 1) * planeBytes),
      );
      swapped = Buffer.concat([expected.subarray(0, headerBytes), ...planes.reverse()]);
      playground = await newPlaygroundPage(browser, { reducedMotion: 'reduce' });
      await playground.open(`${service.url}/?preset=${preset}&view=skew`);
    }, 120_000);

    afterAll(async () => {
      // Chromium logs each response that is an error; a violation of the Content-Security-Policy would be here too.
      expect(playground?.complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual(
        [],
      );
      await browser?.close();
      await service?.stop();
    });

    const give = (name: string, buffer: Buffer) =>
      playground.page.setInputFiles('#given-file', { name, mimeType: '', buffer });

    /** Chooses the image of the tensors, and no tensor. */
    async function choosePhoto(): Promise<void> {
      const { upload, announcedAfter } = playground;
      await chooseAnother();
      await announcedAfter(() => upload('photo.png', photo));
    }

    /** Goes back to the place where a tensor is dropped. */
    async function chooseAnother(): Promise<void> {
      const { page, announcedAfter } = playground;
      if (await page.isVisible('#given-remove')) await announcedAfter(() => page.click('#given-remove'));
    }

    /** The call to copy in one language. */
    async function shownCall(name: string): Promise<string> {
      const { page } = playground;
      await page.getByRole('tab', { name, exact: true }).click();
      return (await page.textContent('#snippet')) ?? '';
    }

    const steps = () =>
      playground.page.evaluate<string[][]>(
        "[...document.querySelectorAll('#skew-steps-body tr')].map((row) => [...row.cells].map((cell) => cell.textContent))",
      );

    it('names what made an example', async () => {
      const { page, announcedAfter } = playground;
      const sentence = await announcedAfter(() =>
        page.getByRole('button', { name: 'OpenCV, channels in BGR' }).click(),
      );
      expect(sentence).toMatch(/^Yours is OpenCV.*BGR/);
      expect(await page.textContent('#skew-sentence')).toBe(sentence);
      expect(await page.textContent('#skew-details')).toMatch(
        /^These steps reproduce your tensor, to the last bit\./,
      );
      expect(await steps()).toContainEqual(['channel_order', 'BGR', 'RGB']);
      expect(await page.locator('#stage canvas').count()).toBe(3);
      expect(await page.textContent('#skew-python')).toContain('AutoImageProcessor');
      expect(page.url()).toBe(`${service.url}/?view=skew&example=opencv-bgr&preset=${preset}`);
    });

    it('offers calls that give the same sentence for the same files', async () => {
      const { page, announcedAfter, downloaded } = playground;
      await chooseAnother();
      const sentence = await announcedAfter(() =>
        page.getByRole('button', { name: 'Channels in BGR', exact: true }).click(),
      );
      const folder = await mkdtemp(join(tmpdir(), 'playground-'));
      try {
        for (const link of ['#save-source', '#given-save']) {
          const { name, bytes } = await downloaded(link);
          await writeFile(join(folder, name), bytes);
        }
        await writeFile(join(folder, 'main.mjs'), await shownCall('JavaScript'));
        const node = await run(process.execPath, ['main.mjs'], { cwd: folder });
        expect({ ...node, stdout: String(node.stdout) }).toMatchObject({
          code: 0,
          stdout: `${sentence}\n`,
          stderr: '',
        });
        const command = (await shownCall('image-client')).replace(/^image-client/, imageClient);
        const client = await run('sh', ['-c', command], { cwd: folder });
        expect(client.code, command).toBe(1);
        expect(String(client.stdout)).toContain(sentence);
        if (findProgram('curl') !== undefined) {
          const curl = await run('sh', ['-c', await shownCall('curl')], { cwd: folder });
          expect(curl).toMatchObject({ code: 0, stderr: '' });
          expect(JSON.parse(String(curl.stdout))).toMatchObject({ cause: { exact: true, sentence } });
        }
        if (python === undefined) return;
        // The Python client reads its version from its distribution, which an installation has.
        await mkdir(join(folder, 'image_service_client-0.dist-info'));
        const metadata = join(folder, 'image_service_client-0.dist-info', 'METADATA');
        await writeFile(metadata, 'Name: image-service-client\nVersion: 0\n');
        await writeFile(join(folder, 'main.py'), await shownCall('Python'));
        const env = { PYTHONPATH: join(repository, 'clients/python/src') };
        const called = await run(python, ['main.py'], { cwd: folder, env });
        expect({ ...called, stdout: String(called.stdout) }).toMatchObject({
          code: 0,
          stdout: `${sentence}\n`,
        });
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    it('compares a tensor that is dropped together with its image, and draws both with the map', async () => {
      const { page, announcedAfter } = playground;
      const files = [
        ['photo.png', photo],
        ['input.npy', swapped],
      ] as const;
      const script = files
        .map(([name, bytes]) => `[${JSON.stringify(name)}, "${Buffer.from(bytes).toString('base64')}"]`)
        .join();
      const sentence = await announcedAfter(() =>
        page.evaluate(`{
          const dataTransfer = new DataTransfer();
          for (const [name, base64] of [${script}]) {
            dataTransfer.items.add(new File([Uint8Array.from(atob(base64), (each) => each.charCodeAt(0))], name));
          }
          document.body.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer }));
        }`),
      );
      expect(sentence).toContain('BGR');
      expect(await steps()).toEqual([['channel_order', 'BGR', 'RGB']]);
      const readout = (await page.textContent('#readout')) ?? '';
      const [, yours, difference, own] =
        /Yours ([\d ]+?) {3}· {3}Difference (\S+) {3}· {3}Expected ([\d ]+)$/.exec(readout) ?? [readout];
      const [red, green, blue] = (own ?? '').split(' ').map(Number);
      expect(yours).toBe([blue, green, red].join(' '));
      // With a mean and a std of 0.5, a level is 2/255.
      expect(Math.abs(Number(difference) - (Math.abs((red ?? 0) - (blue ?? 0)) * 2) / 255)).toBeLessThan(
        0.0001,
      );
      expect(page.url()).toContain('tensor=input.npy');
    });

    it('says so if the tensor is the expected one', async () => {
      const { announcedAfter, page } = playground;
      await choosePhoto();
      expect(await announcedAfter(() => give('right.npy', expected))).toBe(
        'Your tensor is the expected one, to the last bit.',
      );
      expect(await page.isVisible('#skew-steps')).toBe(false);
      expect(await page.isVisible('#skew-python')).toBe(false);
    });

    it('asks for the shape and the datatype of raw values, and shows no former result after an error', async () => {
      const { page, announcedAfter } = playground;
      await choosePhoto();
      // Two images: not as long as the expected tensor, from which the page would know the form.
      const values = swapped.subarray(headerBytes);
      const asked = await announcedAfter(() => give('input.bin', Buffer.concat([values, values])));
      expect(asked).toBe(
        'input.bin is no NumPy file and no safetensors. Enter the shape and the datatype of its values.',
      );
      await page.fill('#given-shape', '1, 3, 224, 224');
      const alert = page.getByRole('alert');
      await alert.waitFor();
      expect(await alert.textContent()).toMatch(/TENSOR_/);
      expect(await page.isVisible('#skew-report')).toBe(false);
      expect(await page.locator('#stage canvas').count()).toBe(0);
      await chooseAnother();
      const sentence = await announcedAfter(() => give('input.raw', values));
      expect(sentence).toContain('BGR');
      expect(await page.inputValue('#given-shape')).toBe('1, 3, 224, 224');
      expect(await page.inputValue('#given-datatype')).toBe('FP32');
      expect(await alert.isVisible()).toBe(false);
      // A file that is no tensor at all removes the report.
      await give('broken.npz', Buffer.from('PK\x03\x04 and no more'));
      await alert.waitFor();
      expect(await alert.textContent()).toContain('TENSOR_INVALID');
      expect(await page.isVisible('#skew-report')).toBe(false);
      expect(await page.isVisible('#stale-note')).toBe(false);
      expect(await page.locator('#stage canvas').count()).toBe(0);
    });

    it('shows the upload on a slow network, and cancels it', async () => {
      const { page, context } = playground;
      await choosePhoto();
      const devTools = await context.newCDPSession(page);
      await devTools.send('Network.enable');
      const network = { offline: false, latency: 0, downloadThroughput: -1 };
      await devTools.send('Network.emulateNetworkConditions', { ...network, uploadThroughput: 200_000 });
      await give('slow.npy', swapped);
      await page.locator('#progress-text', { hasText: /^Uploading [1-9]\d? % of \d+/ }).waitFor();
      await page.click('#cancel');
      await page.locator('#stale-note', { hasText: 'Cancelled. Press Process to send it again.' }).waitFor();
      expect(await page.isVisible('#progress')).toBe(false);
      expect(await page.isVisible('#skew-report')).toBe(false);
      await devTools.send('Network.emulateNetworkConditions', { ...network, uploadThroughput: -1 });
      expect(await playground.announcedAfter(() => page.click('#run'))).toContain('BGR');
    });

    it('works with only the keyboard, and shows where the focus is', async () => {
      const { page, announcedAfter } = playground;
      const focused = () =>
        page.evaluate<string>('document.activeElement.id || document.activeElement.textContent');
      await page.focus('#given-remove');
      await announcedAfter(() => page.keyboard.press('Enter'));
      expect(await focused()).toBe('given-file');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('Channels in BGR');
      expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
      expect(await announcedAfter(() => page.keyboard.press('Enter'))).toContain('BGR');
      // The button is hidden now; the focus is on the one that shows it again.
      expect(await focused()).toBe('given-remove');
      await page.focus('#stage');
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('copy-python');
      await page.keyboard.press('Enter');
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
        await page.textContent('#skew-python'),
      );
    });

    it('has no barriers in each of its states, at each width and in both themes', async () => {
      const { page, announcedAfter } = playground;
      const found: string[] = [];
      async function look(state: string): Promise<void> {
        const barriers = await barriersAtEachWidth(page, { within: '#view' });
        found.push(...barriers.map((barrier) => `${state}, ${barrier}`));
      }
      await look('a report');
      await chooseAnother();
      await look('nothing chosen');
      await announcedAfter(() => give('input.bin', Buffer.alloc(40)));
      await look('raw values');
      await page.fill('#given-shape', '3');
      await page.getByRole('alert').waitFor();
      await look('an error');
      expect(found).toEqual([]);
    });

    it('says that a link contains no tensor, and offers to choose it again', async () => {
      const { page, announcedAfter } = playground;
      const announced = await announcedAfter(async () => {
        await page.goto(`${service.url}/?preset=${preset}&view=skew&tensor=input.npy`);
      });
      expect(announced).toBe('Links and reloads do not contain files. Choose input.npy again.');
      expect(await page.isVisible('#given-file')).toBe(true);
      expect(await page.isVisible('#examples')).toBe(true);
    });
  },
);
