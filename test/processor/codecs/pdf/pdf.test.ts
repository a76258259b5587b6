import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { decodeWhole } from '../../../../src/processor/codecs/decode.ts';
import { pdfiumBuild } from '../../../../src/processor/codecs/pdf/build.ts';
import { readHeader } from '../../../../src/processor/codecs/read-header.ts';
import { defaultSource } from '../../../../src/processor/image/default-source.ts';
import type { SourcePlan } from '../../../../src/processor/image/plan.ts';
import { type PdfPage, pagesPdf } from '../../../support/pdf.ts';

const maxPixels = 1e6;

const sizeOf = async (pages: readonly PdfPage[], source: Partial<SourcePlan> = {}) => {
  const { width, height } = await readHeader(pagesPdf(pages), maxPixels, { ...defaultSource, ...source });
  return [width, height];
};

async function draw(content: Buffer, source: Partial<SourcePlan> = {}) {
  const header = await readHeader(content, maxPixels, { ...defaultSource, ...source });
  const { data: scratch, width, channels } = await decodeWhole(content, header);
  const data = Uint8Array.from(scratch);
  const at = (x: number, y: number) => [...data.subarray((y * width + x) * channels).subarray(0, channels)];
  return { at, width, data };
}

const white = [255, 255, 255];
const red = [255, 0, 0];

/** The left half red, from the lower left corner of the page. */
const redLeft = '1 0 0 rg 0 0 18 18 re f';

describe('the header of a PDF', () => {
  it('is the size of the page at its resolution', async () => {
    const header = await readHeader(pagesPdf([{}, {}]), maxPixels);
    expect(header).toMatchObject({ format: 'pdf', width: 72, height: 36, frames: 2, colour: 'rgb' });
  });

  it.each([
    [72, [36, 18]],
    [144, [72, 36]],
    [100, [50, 25]],
    // 36 × 101 ÷ 72 = 50.5 and 18 × 101 ÷ 72 = 25.25.
    [101, [51, 26]],
    [0.001, [1, 1]],
  ])('is rounded up at %s dpi', async (dpi, size) => {
    expect(await sizeOf([{}], { dpi })).toEqual(size);
  });

  it('is that of the crop box, or of the media box', async () => {
    const pages = [{ cropBox: [9, 9, 18, 15] }];
    expect(await sizeOf(pages, { dpi: 72 })).toEqual([9, 6]);
    expect(await sizeOf(pages, { dpi: 72, pageBox: 'media' })).toEqual([36, 18]);
    expect(await sizeOf(pages, { dpi: 72 })).toEqual([9, 6]);
  });

  it('is that of the page as it is turned', async () => {
    expect(await sizeOf([{ rotate: 90 }], { dpi: 72 })).toEqual([18, 36]);
  });

  it('is that of the requested page', async () => {
    const pages = [{}, { mediaBox: [0, 0, 10, 20] }];
    expect(await sizeOf(pages, { dpi: 72, page: 2 })).toEqual([10, 20]);
  });
});

describe('a page of a PDF', () => {
  it('is drawn on white', async () => {
    const { at } = await draw(pagesPdf([{ content: redLeft }]));
    expect([at(0, 0), at(35, 35), at(36, 0), at(71, 35)]).toEqual([red, red, white, white]);
  });

  it('is turned as its dictionary says', async () => {
    const { at } = await draw(pagesPdf([{ content: redLeft, rotate: 90 }]), { dpi: 72 });
    expect([at(0, 0), at(17, 17), at(0, 18), at(17, 35)]).toEqual([red, red, white, white]);
  });

  it('is drawn whole with the media box', async () => {
    const content = pagesPdf([{ content: redLeft, cropBox: [9, 0, 36, 18] }]);
    const whole = await draw(content, { dpi: 72, pageBox: 'media' });
    const part = await draw(content, { dpi: 72 });
    expect([whole.width, part.width]).toEqual([36, 27]);
    expect([whole.at(17, 0), whole.at(18, 0), part.at(8, 0), part.at(9, 0)]).toEqual([
      red,
      white,
      red,
      white,
    ]);
  });

  it('has its annotations, or not', async () => {
    const content = pagesPdf(
      [{ more: '/Annots [5 0 R]' }],
      [
        '<< /Type /Annot /Subtype /Stamp /Rect [0 0 18 18] /F 4 /AP << /N 6 0 R >> >>',
        ['/Type /XObject /Subtype /Form /BBox [0 0 18 18]', '1 0 0 rg 0 0 18 18 re f'],
      ],
    );
    expect((await draw(content)).at(0, 0)).toEqual(red);
    expect((await draw(content, { annotations: false })).at(0, 0)).toEqual(white);
  });

  it('is the same when it is drawn again', async () => {
    const content = pagesPdf([{ content: redLeft }, { content: '0 0 1 rg 0 0 9 9 re f' }]);
    const first = await draw(content);
    await draw(content, { page: 2 });
    expect((await draw(content)).data).toEqual(first.data);
  });

  it.each([
    ['DOCUMENT_EMPTY', pagesPdf([]), {}],
    ['PAGE_OUT_OF_RANGE', pagesPdf([{}]), { page: 2 }],
    ['IMAGE_CORRUPT', Buffer.from('%PDF-1.7\nthis is none'), {}],
    ['SOURCE_PIXELS_OVER_LIMIT', pagesPdf([{ mediaBox: [0, 0, 14_400, 14_400] }]), {}],
    ['SOURCE_PIXELS_OVER_LIMIT', pagesPdf([{ mediaBox: [0, 0, 1e9, 1e-9] }]), {}],
  ] as const)('is refused by %s', async (reason, content, source) => {
    await expect(readHeader(content, maxPixels, { ...defaultSource, ...source })).rejects.toMatchObject({
      reason,
    });
  });
});

describe('pdfiumBuild', () => {
  it('is that of the installed package', () => {
    const path = createRequire(import.meta.url).resolve('@embedpdf/pdfium/pdfium.wasm');
    const manifest = JSON.parse(readFileSync(path.replace(/dist\/pdfium\.wasm$/, 'package.json'), 'utf8'));
    expect(pdfiumBuild.split('+')[0]).toBe(manifest.version);
  });
});
