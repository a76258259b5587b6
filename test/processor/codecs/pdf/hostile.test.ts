import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/failures.ts';
import { defaultSource } from '../../../../src/processor/image/default-source.ts';
import type { SourcePlan } from '../../../../src/processor/image/plan.ts';
import { startWorkerPool, type WorkerPool } from '../../../../src/processor/workers/pool.ts';
import { pdfFixture } from '../../../parity/pdf-goldens.ts';
import { pagesPdf, pdfOf } from '../../../support/pdf.ts';
import { grayTensor, plannedImage } from '../../../support/plans.ts';

/*
 * Hostile documents, as the service processes them: in a worker. Each is drawn or fails by its reason, and the next
 * document is drawn as if nothing had been.
 */

let pool: WorkerPool;
beforeAll(async () => {
  pool = await startWorkerPool(1, { jobTimeoutMs: 20_000 });
});
afterAll(() => pool.close());

/** @returns `drawn`, or the reason of the failure */
async function outcomeOf(content: Buffer, source: Partial<SourcePlan> = {}, signal?: AbortSignal) {
  try {
    const whole = { ...defaultSource, ...source };
    const header = await pool.readHeader(content, 10_000_000, signal, whole);
    const plan = { ...grayTensor, source: whole };
    const [outcome] = await pool.run({ content, header, images: [plannedImage(header, plan)] }, signal);
    if (outcome !== undefined && 'error' in outcome) throw outcome.error;
    return 'drawn';
  } catch (error) {
    if (error instanceof Failure) return error.reason;
    throw error;
  }
}

const good = pagesPdf([{ content: '1 0 0 rg 0 0 9 9 re f' }]);

const catalog = '<< /Type /Catalog /Pages 2 0 R >>';
const pageWith = (more: string) =>
  `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 36 18] /Contents 4 0 R ${more} >>`;
const pages = '<< /Type /Pages /Kids [3 0 R] /Count 1 >>';

/** A form that draws itself. */
const recursiveForm = pdfOf([
  catalog,
  pages,
  pageWith('/Resources << /XObject << /X 5 0 R >> >>'),
  ['', '/X Do'],
  ['/Type /XObject /Subtype /Form /BBox [0 0 36 18] /Resources << /XObject << /X 5 0 R >> >>', '/X Do'],
]);

/** A gradient over a page of 9 megapixels at 72 dpi, drawn 20,000 times: some 20 minutes. */
const endlessGradients = pdfOf([
  catalog,
  pages,
  `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 3000 3000] /Contents 4 0 R /Resources << /Shading << /S 5 0 R >> >> >>`,
  ['', '/S sh\n'.repeat(20_000)],
  '<< /ShadingType 2 /ColorSpace /DeviceRGB /Coords [0 0 3000 3000] /Function << /FunctionType 2 /Domain [0 1] /C0 [1 0 0] /C1 [0 0 1] /N 1 >> >>',
]);

/** A picture of a few bytes that claims 60,000 × 60,000 pixels. */
const hugePicture = pdfOf([
  catalog,
  pages,
  pageWith('/Resources << /XObject << /X 5 0 R >> >>'),
  ['', '36 0 0 18 0 0 cm /X Do'],
  [
    '/Type /XObject /Subtype /Image /Width 60000 /Height 60000 /BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /FlateDecode',
    deflateSync(Buffer.alloc(1000)),
  ],
]);

/** A content stream of 400 MB of spaces, deflated twice. */
const expandingStream = pdfOf([
  catalog,
  pages,
  pageWith(''),
  [
    '/Filter [/FlateDecode /FlateDecode]',
    deflateSync(deflateSync(Buffer.alloc(400_000_000, ' '), { level: 9 }), { level: 9 }),
  ],
]);

const cyclicPages = pdfOf([catalog, '<< /Type /Pages /Kids [2 0 R] /Count 1 /Parent 2 0 R >>']);
const cyclicXref = Buffer.from(
  '%PDF-1.7\nxref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 1 /Root 1 0 R /Prev 9 >>\nstartxref\n9\n%%EOF\n',
);
const selfReference = pdfOf([
  catalog,
  pages,
  pageWith('/MediaBox 5 0 R /Resources 5 0 R'),
  ['', ''],
  '5 0 R',
]);

const scripted = pdfOf([
  '<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (while \\(true\\) {}) >> /Names << /EmbeddedFiles << /Names [(a) 5 0 R] >> >> >>',
  pages,
  pageWith('/AA << /O << /S /URI /URI (http://127.0.0.1:9/) >> >>'),
  ['', '1 0 0 rg 0 0 9 9 re f'],
  '<< /Type /Filespec /F (a.exe) /EF << /F 4 0 R >> >>',
]);

const brokenFont = pdfOf([
  catalog,
  pages,
  pageWith(
    '/Resources << /Font << /F << /Type /Font /Subtype /TrueType /BaseFont /X /FontDescriptor 5 0 R >> >> >>',
  ),
  ['', 'BT /F 12 Tf (text) Tj ET'],
  '<< /Type /FontDescriptor /FontName /X /Flags 4 /FontFile2 6 0 R >>',
  ['', Buffer.alloc(500, 0xa5)],
]);

describe('a hostile document', () => {
  it.each<[name: string, content: Buffer, expected: string, source?: Partial<SourcePlan>]>([
    ['with nothing behind its signature', Buffer.from('%PDF-'), 'IMAGE_CORRUPT'],
    ['without pages', pagesPdf([]), 'DOCUMENT_EMPTY'],
    ['with fewer pages', pagesPdf([{}]), 'PAGE_OUT_OF_RANGE', { page: 4_294_967_295 }],
    [
      'that claims 100,000 pages',
      pdfOf([catalog, '<< /Type /Pages /Kids [3 0 R] /Count 100000 >>', pageWith(''), ['', '']]),
      'IMAGE_CORRUPT',
      { page: 99_999 },
    ],
    ['of 200 inches', pagesPdf([{ mediaBox: [0, 0, 14_400, 14_400] }]), 'SOURCE_PIXELS_OVER_LIMIT'],
    ['of 1e9 × 1 points', pagesPdf([{ mediaBox: [0, 0, 1e9, 1] }]), 'SOURCE_PIXELS_OVER_LIMIT'],
    // PDFium takes US Letter for an empty box, as viewers do.
    ['of 1e9 × 0 points', pagesPdf([{ mediaBox: [0, 0, 1e9, 0] }]), 'drawn'],
    ['whose crop box is outside of its page', pagesPdf([{ cropBox: [90, 90, 99, 99] }]), 'IMAGE_CORRUPT'],
    ['that needs a password', pdfFixture('encrypted-aes-256'), 'DOCUMENT_PASSWORD_REQUIRED'],
    ['with another password', pdfFixture('encrypted-rc4'), 'DOCUMENT_PASSWORD_WRONG', { password: 'owne' }],
    ['with its owner’s password', pdfFixture('encrypted-rc4'), 'drawn', { password: 'owner' }],
    ['with a form that draws itself', recursiveForm, 'drawn'],
    ['with a picture of 60,000 × 60,000 pixels', hugePicture, 'drawn'],
    ['with pages that contain themselves', cyclicPages, 'IMAGE_CORRUPT'],
    ['with tables of references in a circle', cyclicXref, 'IMAGE_CORRUPT'],
    ['with an object that is itself', selfReference, 'drawn'],
    ['with scripts, links and files', scripted, 'drawn'],
    ['with a broken font', brokenFont, 'drawn'],
  ])('%s is drawn, or fails by its reason', async (_name, content, expected, source) => {
    expect(await outcomeOf(content, source)).toBe(expected);
    expect(await outcomeOf(good)).toBe('drawn');
  });

  it('whose stream expands without end stays in its memory', async () => {
    expect(['drawn', 'IMAGE_CORRUPT', 'SOURCE_MEMORY_OVER_LIMIT']).toContain(
      await outcomeOf(expandingStream),
    );
    expect(await outcomeOf(good)).toBe('drawn');
  });

  it('that never finishes drawing ends with its caller’s patience, and its process is replaced', async () => {
    const before = pool.pids().documents;
    expect(await outcomeOf(endlessGradients, { dpi: 72 }, AbortSignal.timeout(2000))).toBe(
      'DEADLINE_EXCEEDED',
    );
    expect(await outcomeOf(good)).toBe('drawn');
    // Whichever of the processes drew it.
    expect(before.filter((pid) => !pool.pids().documents.includes(pid))).toHaveLength(1);
  });

  it('of many pixels does not cost its process, which draws the next page', async () => {
    expect(await outcomeOf(good)).toBe('drawn');
    const before = pool.pids().documents;
    expect(await outcomeOf(pagesPdf([{ mediaBox: [0, 0, 3000, 3000] }]), { dpi: 72 })).toBe('drawn');
    expect(await outcomeOf(good)).toBe('drawn');
    expect(pool.pids().documents).toEqual(before);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9])(
    'cut off at %i tenths is drawn or fails by its reason',
    async (tenths) => {
      for (const name of ['images', 'object-streams', 'encrypted-aes-256']) {
        const whole = pdfFixture(name);
        const cut = whole.subarray(0, Math.floor((whole.length * tenths) / 10));
        expect(['drawn', 'IMAGE_CORRUPT', 'DOCUMENT_EMPTY', 'DOCUMENT_PASSWORD_REQUIRED']).toContain(
          await outcomeOf(Buffer.from(cut)),
        );
      }
    },
  );
});
