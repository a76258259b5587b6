import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pdfFixture } from '../parity/pdf-goldens.ts';
import { type Problem, problemOf } from '../support/api.ts';
import { pagesPdf } from '../support/pdf.ts';
import { decoded, encoded, gradient } from '../support/pictures.ts';
import { type S3Server, startS3 } from '../support/s3.ts';
import { type Service, startService } from '../support/service.ts';
import { s3Program } from '../support/tools.ts';

/* Pages of documents over HTTP, through both services. */

/** A document whose pages have widths of 11, 12, … points and a height of 8. */
const report = pagesPdf(Array.from({ length: 9 }, (_, index) => ({ mediaBox: [0, 0, 11 + index, 8] })));
const encrypted = pdfFixture('encrypted-aes-256');
const password = 'réponse';

let server: S3Server | undefined;
let service: Service;
beforeAll(async () => {
  server = s3Program === undefined ? undefined : await startS3();
  await server?.createBucket('documents');
  service = await startService({
    processor: { ...server?.environment, SOURCE_BUCKETS: 'documents', WORKERS: '1' },
  });
});
afterAll(async () => {
  await service?.stop();
  await server?.[Symbol.asyncDispose]();
});

/** A form with a file in `image`, at 72 dpi and in the page's own size. */
function formOf(file: Uint8Array, fields: Readonly<Record<string, string>>): FormData {
  const form = new FormData();
  form.append('image', new Blob([Uint8Array.from(file)], { type: 'application/pdf' }), 'report.pdf');
  for (const [name, value] of Object.entries({ dpi: '72', scale: 'false', ...fields }))
    form.append(name, value);
  return form;
}

const post = (body: FormData | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}, query = '') =>
  fetch(`${service.url}/v1/images${query}`, { method: 'POST', body, headers });

const sizeOf = async (file: Blob | Response) => {
  const { width, height } = await decoded(await file.bytes());
  return [width, height];
};

/** The parts of a response in several parts: their names and the sizes of their images. */
async function partsOf(response: Response) {
  const parts = [...(await response.formData())] as [name: string, part: File][];
  return await Promise.all(parts.map(async ([name, file]) => [name, file.name, await sizeOf(file)]));
}

describe('a document over HTTP', () => {
  it('has a part of the response for each page of a list', async () => {
    const response = await post(formOf(report, { page: '1-3,7' }), { accept: 'multipart/form-data' });
    expect(response.status).toBe(200);
    expect(await partsOf(response)).toEqual([
      ['p1', 'p1.png', [11, 8]],
      ['p2', 'p2.png', [12, 8]],
      ['p3', 'p3.png', [13, 8]],
      ['p7', 'p7.png', [17, 8]],
    ]);
  });

  it('is refused as a whole when the list has a page that it does not have', async () => {
    expect(await problemOf(await post(formOf(report, { page: '8-10' })))).toMatchObject({
      reason: 'PAGE_OUT_OF_RANGE',
      status: 422,
      metadata: { limit: '9', actual: '10', index: '2' },
    });
  });

  it.each([
    ['a field of the form', () => post(formOf(encrypted, { password }))],
    [
      'the header, beside the bytes of the file',
      () =>
        post(
          Uint8Array.from(encrypted),
          {
            'content-type': 'application/pdf',
            'x-document-password': Buffer.from(password).toString('latin1'),
          },
          '?dpi=72&scale=false',
        ),
    ],
  ])('opens with the password in %s, and no cache keeps the page', async (_, call) => {
    const response = await call();
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await sizeOf(response)).toEqual([120, 200]);
  });

  it('asks for a password, refuses a wrong one, and logs neither', async () => {
    await post(formOf(encrypted, { password }));
    const none = await problemOf(await post(formOf(encrypted, {})));
    const wrong = await problemOf(await post(formOf(encrypted, { password: 'Geheimnis' })));
    expect([none.reason, wrong.reason]).toEqual(['DOCUMENT_PASSWORD_REQUIRED', 'DOCUMENT_PASSWORD_WRONG']);
    const logs = [service.api.log, service.processor.log];
    // The services write their logs late.
    const hasWrong = (lines: readonly string[]) => lines.some((line) => line.includes(wrong.reason));
    await vi.waitFor(() => expect(logs.map(hasWrong)).toEqual([true, true]), 10_000);
    const log = logs.flat().join('\n');
    for (const secret of ['Geheimnis', password]) expect(log).not.toContain(secret);
  });

  it('is drawn from object storage, also several pages of it', async (test) => {
    if (server === undefined) return test.skip('no S3 server is installed');
    await server.client.send(new PutObjectCommand({ Bucket: 'documents', Key: 'a/report', Body: report }));
    const url = `${service.url}/v1/images?${new URLSearchParams({ url: 's3://documents/a/report', dpi: '72', scale: 'false' })}`;
    expect(await sizeOf(await fetch(`${url}&page=5`))).toEqual([15, 8]);
    const pages = await fetch(`${url}&page=9,2`, { headers: { accept: 'multipart/form-data' } });
    expect(await partsOf(pages)).toEqual([
      ['p9', 'p9.png', [19, 8]],
      ['p2', 'p2.png', [12, 8]],
    ]);
  });
});

describe('the options of a document for a picture', () => {
  it.each([
    ['page', '2'],
    ['dpi', '72'],
    ['page_box', 'media'],
    ['annotations', 'false'],
    ['password', 'set'],
  ])('are refused by the name that the caller gave: %s', async (name, actual) => {
    const form = new FormData();
    form.append('image', new Blob([await encoded(gradient(4, 4), 'png')]), 'photo.png');
    form.append(name, actual);
    const { reason, detail, metadata }: Problem = await problemOf(await post(form));
    expect({ reason, metadata }).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: name, actual },
    });
    expect(detail).toMatch(new RegExp(`^${name} is ${actual}; allowed: `));
  });

  it('are refused by that name in each pair of a comparison', async () => {
    const form = new FormData();
    const photo = new Blob([await encoded(gradient(4, 4), 'png')]);
    for (const index of [0, 1]) {
      form.append('image', photo, `${index}.png`);
      form.append('tensor', new Blob([new Uint8Array(12)]), `${index}.raw`);
    }
    for (const [name, value] of [
      ['shape', '1,3,2,2'],
      ['datatype', 'UINT8'],
      ['page', '2'],
    ] as const) {
      form.append(name, value);
    }
    const response = await fetch(`${service.url}/v1/skew`, { method: 'POST', body: form });
    expect(await response.json()).toMatchObject({
      pairs: [0, 1].map(() => ({ problem: { reason: 'OPTION_INVALID', metadata: { option: 'page' } } })),
    });
  });
});
