import { parseForm } from '../../src/api/multipart.ts';
import { parseSkewForm, readSettings, takeSettings } from '../../src/api/skew/skew-form.ts';
import { type Case, type Door, outcomeOf } from './door.ts';
import { mutated } from './mutate.ts';
import type { Random } from './random.ts';

export const boundary = '----fuzz7MA4YWxkTrZu0gW';
const maxFileBytes = 4096;

const part = (head: string, content: string | Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`--${boundary}\r\n${head}\r\n\r\n`), Buffer.from(content), Buffer.from('\r\n')]);
const form = (...parts: Buffer[]): Buffer => Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]);
const disposition = (name: string) => `Content-Disposition: form-data; name="${name}"`;
const picture = Buffer.from('R0lGODlhAQABAAAAACH5BAEAAAAALAAAAAABAAEAAAIBAAA=', 'base64');
const file = (name: string, content: Uint8Array = picture) =>
  part(`${disposition(name)}; filename="a.gif"\r\nContent-Type: image/gif`, content);
const field = (name: string, value: string) => part(disposition(name), value);

/** A tensor of 1 × 3 × 1 × 1 as numpy.save writes it. */
const npyHeader = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 1, 1), }".padEnd(117);
export const npy = Buffer.concat([
  Buffer.from(`\x93NUMPY\x01\x00v\x00${npyHeader}\n`, 'latin1'),
  Buffer.alloc(12),
]);

/** Forms as browsers and curl send them, and such as they don't. */
const forms: readonly Buffer[] = [
  form(file('image')),
  form(file('image'), field('width', '64'), field('height', '48'), field('fit', 'cover')),
  form(field('url', 'https://images.example/a.jpg'), field('format', 'npy'), field('mean', '0.5,0.5,0.5')),
  form(part(`${disposition('image')}; filename*=UTF-8''a%CC%88.gif`, picture)),
  form(part('content-disposition:form-data;name=image;filename=a', picture), field('scale', 'false')),
  form(part(`${disposition('image')}; filename=""\r\nContent-Type: application/octet-stream`, '')),
  form(part('Content-Type: image/gif', picture)),
  form(file('image', new Uint8Array(maxFileBytes)), field('grayscale', 'true')),
  form(...Array.from({ length: 63 }, (_, at) => field(`f${at}`, 'x'))),
  form(file('image'), file('tensor', npy), field('preset', 'resnet50'), field('map', 'true')),
  form(
    file('image'),
    file('tensor', new Uint8Array(12)),
    field('shape', '[1, 3, 1, 1]'),
    field('datatype', 'FP32'),
  ),
  form(field('url', 'https://images.example/a.jpg'), file('image'), file('picture'), file('picture')),
  Buffer.concat([Buffer.from('preamble\r\n'), form(file('image')), Buffer.from('epilogue')]),
];

/** A form that something is wrong with, or many of its parts put together at random. */
export function mutatedForm(random: Random): Buffer {
  const { content } = mutated(random, forms);
  if (!random.oneIn(4)) return content;
  const parts = forms.flatMap((one) => one.toString('latin1').split(`--${boundary}`));
  const picked = Array.from({ length: 1 + random.below(80) }, () => random.pick(parts));
  return Buffer.from(picked.join(`--${boundary}`), 'latin1');
}

const contentTypes = [
  `multipart/form-data; boundary=${boundary}`,
  `multipart/form-data; boundary="${boundary}"; charset=utf-8`,
  ...['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-data; boundary=-'],
  `multipart/form-data; boundary=${'x'.repeat(300)}`,
];

const reasons = new Set(['MULTIPART_INVALID', 'SOURCE_MISSING', 'SOURCE_BYTES_OVER_LIMIT']);
const skewReasons = new Set([...reasons, 'OPTION_INVALID', 'OPTION_UNKNOWN']);

/** The parsers of multipart/form-data: that of images and that of comparisons. */
export function openFormDoor(): Door {
  return {
    name: 'multipart',
    share: 15,
    make(random): Case {
      const body = mutatedForm(random);
      const contentType = random.oneIn(10) ? random.pick(contentTypes) : (contentTypes[0] as string);
      const isSkew = random.oneIn(3);
      return {
        input: { body, 'content-type.txt': contentType, 'path.txt': isSkew ? '/v1/skew' : '/v1/images' },
        run: () =>
          isSkew
            ? outcomeOf(skewReasons, () => readSkew(body, contentType))
            : outcomeOf(reasons, () => parseForm(body, contentType, maxFileBytes)),
      };
    },
    async [Symbol.asyncDispose]() {},
  };
}

function readSkew(body: Buffer, contentType: string): void {
  const { own } = takeSettings(parseSkewForm(body, contentType, maxFileBytes).texts);
  readSettings([own]);
}
