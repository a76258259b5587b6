import type { Browser } from 'playwright-core';
import { launchBrowser } from '../../support/browser.ts';
import { chromium } from '../../support/tools.ts';
import type { HeldOutImage, Pipeline } from '../pipelines.ts';
import { type PixelPipeline, pixelPipeline, type RawPixels } from './pixels.ts';

/** Functions of a page, as text: from a Blob to an ImageData of 224 × 224. */
const drawings: readonly (readonly [string, string])[] = [
  ...(['low', 'medium', 'high'] as const).map(
    (quality) =>
      [`canvas drawImage, ${quality}`, draw(`context.imageSmoothingQuality = '${quality}';`)] as const,
  ),
  ['canvas drawImage, smoothing off', draw('context.imageSmoothingEnabled = false;')],
  ...(['low', 'high', 'pixelated'] as const).map(
    (quality) =>
      [
        `createImageBitmap, ${quality}`,
        `const bitmap = await createImageBitmap(blob, { resizeWidth: 224, resizeHeight: 224, resizeQuality: '${quality}' });
         context.drawImage(bitmap, 0, 0);`,
      ] as const,
  ),
];

function draw(setting: string): string {
  return `const bitmap = await createImageBitmap(blob);
          ${setting}
          context.drawImage(bitmap, 0, 0, 224, 224);`;
}

/** Pipelines in a page, as demos of ONNX Runtime Web write them. Chromium's smoothing is not in the lattice. */
export function canvasPipelines(): { readonly pipelines: readonly Pipeline[]; end(): void } {
  let browser: Promise<Browser> | undefined;
  const table = drawings.map(
    ([name, body]): PixelPipeline => ({
      name: `${name}, ViT`,
      // Without smoothing it is the nearest pixel, as of other libraries.
      expected: /off|pixelated/.test(name) ? { filter: 'nearest', 'numerics?': '' } : null,
      async pixels(image) {
        browser ??= launchBrowser();
        return pixelsIn(await browser, image, body);
      },
    }),
  );
  return {
    pipelines: table.map((each) => pixelPipeline(each, chromium === undefined ? 'Chromium' : undefined)),
    end: () => void browser?.then((open) => open.close()),
  };
}

async function pixelsIn(browser: Browser, { content }: HeldOutImage, body: string): Promise<RawPixels> {
  const page = await browser.newPage();
  const text = `(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const blob = new Blob([bytes]);
    const context = new OffscreenCanvas(224, 224).getContext('2d');
    ${body}
    return Array.from(context.getImageData(0, 0, 224, 224).data);
  })('${Buffer.from(content).toString('base64')}')`;
  const data = (await page.evaluate(text)) as number[];
  await page.close();
  return { data, width: 224, height: 224, channels: 4 };
}
