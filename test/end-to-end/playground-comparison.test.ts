import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { encoded, photoLike, solid } from '../support/pictures.ts';
import { newPlaygroundPage, type PlaygroundPage } from '../support/playground-page.ts';
import { type Service, startService } from '../support/service.ts';
import { chromium } from '../support/tools.ts';

const preset = 'openai/clip-vit-base-patch32';

describe.skipIf(chromium === undefined)(
  'what the playground shows and compares',
  { timeout: 180_000 },
  () => {
    let service: Service;
    let browser: Browser;
    let opened: PlaygroundPage;

    beforeAll(async () => {
      service = await startService();
      browser = await launchBrowser();
    }, 120_000);

    afterAll(async () => {
      await browser?.close();
      await service?.stop();
    });

    beforeEach(async () => {
      opened = await newPlaygroundPage(browser);
    });

    afterEach(async () => {
      // Chromium logs each failed request; the page reports it to the visitor.
      expect(opened.complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
      await opened.context.close();
    });

    const open = (query = '') => opened.open(`${service.url}/${query}`);

    async function answer(body: Uint8Array, options: Record<string, string>): Promise<Uint8Array> {
      const response = await fetch(`${service.url}/v1/images?${new URLSearchParams(options)}`, {
        method: 'POST',
        body: new Uint8Array(body),
      });
      expect(response.status).toBe(200);
      return new Uint8Array(await response.arrayBuffer());
    }

    /** The figures of a difference as the page shows them. */
    function figuresOf(a: Uint8Array, b: Uint8Array) {
      const distances = Array.from(a, (level, at) => Math.abs(level - (b[at] ?? 0)));
      const share = (least: number) => distances.filter((distance) => distance >= least).length / a.length;
      const mean = distances.reduce((sum, distance) => sum + distance, 0) / a.length;
      const max = distances.reduce((most, distance) => Math.max(most, distance), 0);
      const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
      return [`${max} levels`, `${mean.toFixed(3)} levels`, percent(share(1)), percent(share(2))];
    }

    const shownFigures = () => opened.page.locator('#legend dd').allTextContents();

    /** The sample of this visit. */
    async function sample(): Promise<Uint8Array> {
      return (await opened.downloaded('#save-source')).bytes;
    }

    const opaque = (image: Uint8Array | Buffer) => sharp(image).removeAlpha().raw().toBuffer();

    it('opens with a heading, a preset, and what OpenCV would feed its model', async () => {
      expect(await open()).toMatch(
        /^OpenCV’s default differs from the training pixels in \d+ % of the values, by up to \d+ levels\., 602\.2 kB, cache miss\.$/,
      );
      const { page } = opened;
      expect(await page.getByRole('heading', { level: 1 }).isVisible()).toBe(true);
      expect(await page.inputValue('#preset')).toBe(preset);
      const jpeg = await sample();
      const exact = await opaque(await answer(jpeg, { preset, format: 'png' }));
      const options = { width: '298', height: '224', filter: 'bilinear', grayscale: 'false', format: 'png' };
      const resized = await answer(jpeg, { ...options, numerics: 'opencv' });
      const cropped = await sharp(resized).extract({ left: 37, top: 0, width: 224, height: 224 }).toBuffer();
      expect(await shownFigures()).toEqual(figuresOf(exact, await opaque(cropped)));
      expect(await page.textContent('#rival-call')).toBe('cv2.resize(image, (298, 224))');
    });

    it("compares with sharp's own resize", async () => {
      await open('?rival=sharp');
      const jpeg = await sample();
      const exact = await opaque(await answer(jpeg, { preset, format: 'png' }));
      const source = await answer(jpeg, { scale: 'false', grayscale: 'false', format: 'png' });
      const resized = await sharp(source).resize(298, 224, { fit: 'fill' }).png().toBuffer();
      const cropped = await sharp(resized).extract({ left: 37, top: 0, width: 224, height: 224 }).toBuffer();
      expect(await shownFigures()).toEqual(figuresOf(exact, await opaque(cropped)));
    });

    it('compares with numerics=fast', async () => {
      await open('?rival=fast');
      const jpeg = await sample();
      const [exact, fast] = await Promise.all(
        ['exact', 'fast'].map(async (numerics) =>
          opaque(await answer(jpeg, { preset, numerics, format: 'png' })),
        ),
      );
      expect(await shownFigures()).toEqual(figuresOf(exact ?? new Uint8Array(), fast ?? new Uint8Array()));
    });

    it('puts the share of each comparison on its button', async () => {
      await open();
      const { page } = opened;
      for (const name of ['OpenCV', 'sharp', 'Canvas', 'No antialiasing', 'fast']) {
        await page
          .locator('#rivals label', { hasText: name })
          .getByText(/^\d+ % differ$/)
          .waitFor();
      }
      const figure = await page
        .locator('#rivals label', { hasText: 'Canvas' })
        .locator('small')
        .textContent();
      const announced = await opened.announcedAfter(() =>
        page.locator('#rivals input[value=canvas]').click(),
      );
      expect(announced).toContain(
        `This browser’s canvas differs from the training pixels in ${figure?.slice(0, -7)}`,
      );
    });

    it('compares with no other call for a preset with bars, and says why', async () => {
      await open('?preset=ultralytics/yolo');
      const { page } = opened;
      expect(await page.textContent('#warning')).toMatch(/^Other libraries are compared only where/);
      expect(await page.locator('#rivals input:enabled').count()).toBe(1);
    });

    it('keeps its state in the address: reload, back, forward', async () => {
      await open();
      const { page, announcedAfter, choose } = opened;
      await announcedAfter(() => page.locator('#rivals input[value=sharp]').click());
      await announcedAfter(() => choose('Channels'));
      expect(page.url()).toBe(`${service.url}/?view=channels&rival=sharp`);
      await announcedAfter(() => page.goBack());
      expect(page.url()).toBe(`${service.url}/?rival=sharp`);
      expect(await page.isChecked('#rivals input[value=sharp]')).toBe(true);
      await announcedAfter(() => page.goBack());
      expect(await page.isChecked('#rivals input[value=opencv]')).toBe(true);
      await announcedAfter(() => page.goForward());
      await announcedAfter(() => page.goForward());
      expect(await page.isVisible('#channels')).toBe(true);
      await announcedAfter(() => choose('Options'));
      await announcedAfter(() => page.fill('#width', '64'));
      const announced = await announcedAfter(() => page.reload());
      expect(announced).toMatch(/^Tensor FP32 1 × 1 × 768 × 64/);
      expect(await page.inputValue('#width')).toBe('64');
    });

    it('says that a link contains no upload, and keeps the settings', async () => {
      await open('?view=sides');
      const { page, announcedAfter, upload } = opened;
      await announcedAfter(async () => upload('red.png', await encoded(solid(9, 9, [255, 0, 0]), 'png')));
      expect(page.url()).toBe(`${service.url}/?file=red.png&view=sides`);
      await announcedAfter(() => page.reload());
      expect(await page.textContent('#source-name')).toBe(
        'Links and reloads do not contain uploaded files. Choose red.png again; until then this is the sample.',
      );
      expect(await page.textContent('#facts')).toContain('1280 × 960');
    });

    it('finds a preset by words and keys, in groups by family', async () => {
      await open();
      const { page, announcedAfter } = opened;
      const field = page.getByRole('combobox', { name: 'Model' });
      await field.click();
      const list = page.getByRole('listbox', { name: 'Presets' });
      await list.waitFor();
      expect(await list.getByRole('group').count()).toBeGreaterThan(4);
      expect(await list.getByRole('group').first().textContent()).toMatch(/^transformers \d+ of \d+/);
      await field.fill('dinov2 base');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowUp');
      const active = page.locator(`#${await field.getAttribute('aria-activedescendant')}`);
      expect(await active.getAttribute('aria-selected')).toBe('true');
      expect(await active.textContent()).toBe('facebook/dinov2-base');
      await announcedAfter(() => page.keyboard.press('Enter'));
      expect(page.url()).toBe(`${service.url}/?preset=facebook/dinov2-base`);
      expect(await field.getAttribute('aria-expanded')).toBe('false');
      await field.fill('no such words');
      await page.getByText('No preset has these words.').waitFor();
      await page.keyboard.press('Escape');
      expect(await field.inputValue()).toBe('facebook/dinov2-base');
    });

    it("offers a YOLO preset's own settings, and only the numerics that a preset has", async () => {
      await open('?preset=ultralytics/yolo&output=image&view=sides');
      const { page, announcedAfter } = opened;
      const announced = await announcedAfter(() => page.fill('#imgsz', '320'));
      expect(announced).toMatch(/^Result 320 × 320 /);
      await announcedAfter(() => page.check('#rect'));
      expect(await page.textContent('#facts')).toContain('320 × 256');
      await announcedAfter(async () => {
        await page.fill('#preset', preset);
        await page.press('#preset', 'Enter');
      });
      expect(await page.isVisible('#imgsz')).toBe(false);
      await page.locator('#numerics option:disabled', { hasText: 'opencv' }).waitFor({ state: 'attached' });
      expect(await page.locator('#numerics option:enabled').allTextContents()).toEqual([
        'exact',
        'pillow',
        'torch',
        'fast',
      ]);
    });

    it('takes a preprocessor_config.json that is dropped, and reports its errors beside it', async () => {
      await open('?view=sides');
      const { page, announcedAfter } = opened;
      const drop = (text: string) =>
        page.evaluate(`{
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([${JSON.stringify(text)}], 'preprocessor_config.json'));
        document.body.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer }));
      }`);
      const config = {
        image_processor_type: 'CLIPImageProcessor',
        size: { shortest_edge: 48 },
        crop_size: { height: 32, width: 40 },
      };
      expect(await announcedAfter(() => drop(JSON.stringify(config)))).toMatch(/^Result 40 × 32 /);
      expect(await announcedAfter(() => opened.choose('Your stack'))).toMatch(/^OpenCV’s default differs/);
      expect(await page.textContent('#rival-call')).toBe('cv2.resize(image, (64, 48))');
      expect(await page.getByRole('radio', { name: 'Config file' }).isChecked()).toBe(true);
      await page.fill('#preprocessor-config', '{"image_processor_type": "NoSuchProcessor"}');
      await page.locator('#preprocessor-config[aria-invalid=true]').waitFor();
      expect(await page.textContent('#config-problem')).toMatch(/NoSuchProcessor/);
      await drop('{"size":');
      await page.getByText(/^preprocessor_config\.json: It is not JSON/).waitFor();
    });

    it('shows several presets of one image side by side', async () => {
      await open('?view=presets&other=ultralytics/yolo');
      const { page, announcedAfter } = opened;
      const names = () => page.locator('#gallery b').allTextContents();
      expect(await names()).toEqual([preset, 'ultralytics/yolo']);
      const announced = await announcedAfter(async () => {
        await page.fill('#add-preset', 'vit-base-patch16-224 google');
        await page.press('#add-preset', 'Enter');
      });
      expect(announced).toMatch(/^3 presets of one image/);
      expect(await names()).toEqual([preset, 'ultralytics/yolo', 'google/vit-base-patch16-224']);
      await announcedAfter(() => page.getByRole('button', { name: 'Remove ultralytics/yolo' }).click());
      expect(await names()).toEqual([preset, 'google/vit-base-patch16-224']);
    });

    it('warns of a stretched result, and shows the source in its own proportions', async () => {
      const tall = await encoded(photoLike(40, 300), 'png');
      await open('?recipe=own&output=image&view=slider');
      const { page, announcedAfter, choose, upload } = opened;
      await announcedAfter(() => upload('tall.png', tall));
      expect(await page.textContent('#warning')).toBe(
        'Stretched 10 × in width: 40 × 300 becomes 1024 × 768.',
      );
      for (const view of ['Slider', 'Side by side']) {
        if (view !== 'Slider') await announcedAfter(() => choose(view));
        const transform = (await page.locator('.layer canvas').first().getAttribute('style')) ?? '';
        const [, across, down] = /scale\(([\d.]+)(?:, ([\d.]+))?\)/.exec(transform) ?? [];
        expect(Number(down ?? across)).toBeCloseTo(Number(across), 3);
      }
      await announcedAfter(() => page.selectOption('#fit', 'inside'));
      expect(await page.isVisible('#warning')).toBe(false);
    });

    it('moves the divider of the slider by its knob and by keys', async () => {
      await open('?view=slider');
      const { page } = opened;
      await page.focus('#slider');
      await page.keyboard.press('ArrowRight');
      expect(await page.inputValue('#slider')).toBe('51');
      const box = await page.locator('#divider').boundingBox();
      await page.mouse.move((box?.x ?? 0) + 1, (box?.y ?? 0) + 40);
      await page.mouse.down();
      await page.mouse.move((box?.x ?? 0) - 200, (box?.y ?? 0) + 40);
      await page.mouse.up();
      expect(Number(await page.inputValue('#slider'))).toBeLessThan(45);
    });

    it('keeps the stages of a run when its response comes from the cache', async () => {
      await open();
      const { page, announcedAfter } = opened;
      const computed = await page.locator('.stages').textContent();
      expect(computed).toMatch(/decode.*resize.*crop.*tensor/s);
      expect(await announcedAfter(() => page.click('#run'))).toContain('cache hit in memory');
      expect(await page.locator('.stages').textContent()).toBe(computed);
      expect(await page.textContent('#facts')).toContain('The run that computed this response');
    });

    it('shows the tensors of a preset that are no single image', async () => {
      const announced = await open('?preset=llava-hf/llava-v1.6-mistral-7b-hf');
      expect(announced).toMatch(/^Tensor FP32 /);
      expect(await opened.page.textContent('#channels')).toMatch(/pixel_values.*FP32 \[1, 5, 3, 336, 336\]/s);
    });

    it.each([900, 1440])('lets nothing of the form scroll within itself at %i × 900', async (width) => {
      await opened.page.setViewportSize({ width, height: 900 });
      await open();
      const inner = await opened.page.evaluate<string[]>(`
      [...document.querySelectorAll('#form, #form *')]
        .filter((node) => node.scrollHeight > node.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(node).overflowY))
        .map((node) => node.id || node.className)`);
      expect(inner).toEqual([]);
    });
  },
);
