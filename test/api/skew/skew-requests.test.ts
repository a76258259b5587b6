import { describe, expect, it } from 'vitest';
import { maxPairs } from '../../../src/api/skew/pairs.ts';
import { readSkewRequests } from '../../../src/api/skew/skew-requests.ts';
import { type Problem, problemOf, useTestApi } from '../../support/api.ts';

const { processor, api } = await useTestApi({ MAX_UPLOAD_BYTES: '1000' });

type Field = readonly [name: string, value: string | Blob];

const file = new File([new Uint8Array([0x89, 0x50, 0x4e, 0x47])], 'a.png', { type: 'image/png' });
const image: Field = ['image', file];
const url: Field = ['url', 'https://images.example/cat.jpg'];
const tensor: Field = ['tensor', new File([new Uint8Array(48)], 'x.npy')];
const picture: Field = ['picture', file];

/** The problem of a refused form. None of these may reach the processor. */
async function refusal(fields: readonly Field[], query = ''): Promise<Problem> {
  const body = new FormData();
  for (const [name, value] of fields) body.append(name, value);
  const problem = await problemOf(await fetch(`${api.url}/v1/skew${query}`, { method: 'POST', body }));
  expect(processor.requests).toEqual([]);
  return problem;
}

describe(readSkewRequests, () => {
  it.each([
    ['no image', [tensor], 'SOURCE_MISSING'],
    ['nothing to compare', [image], 'TENSOR_INVALID'],
    ['two tensors of one image', [image, tensor, tensor], 'PAIRS_INVALID'],
    ['a tensor for one of two images', [image, url, tensor], 'PAIRS_INVALID'],
    ['a tensor and a picture', [image, tensor, picture], 'PAIRS_INVALID'],
    ['an empty image', [['image', new File([], 'a.png')], tensor], 'SOURCE_EMPTY'],
    ['a file in another field', [image, ['npy', file]], 'SOURCE_MISSING'],
    [
      'a file over the limit',
      [image, ['tensor', new File([new Uint8Array(1001)], 'x')]],
      'SOURCE_BYTES_OVER_LIMIT',
    ],
  ] satisfies [string, Field[], string][])('refuses %s', async (_, fields, reason) => {
    expect(await refusal(fields)).toMatchObject({ reason });
  });

  it('refuses more pairs than are compared within one deadline', async () => {
    const pairs = Array.from({ length: maxPairs + 1 }, () => [image, tensor]).flat();
    expect(await refusal(pairs)).toMatchObject({
      reason: 'PAIRS_INVALID',
      metadata: { limit: '16', actual: '17' },
    });
  });

  it.each([
    ['variants', [['variants', '[{}]']], ['OPTION_INVALID', 'variants']],
    ['an image as the output', [['format', 'jpeg']], ['OPTION_INVALID', 'format']],
    ['the source’s own format', [['format', 'source']], ['OPTION_INVALID', 'format']],
    ['a shape that is none', [['shape', '1,x']], ['OPTION_INVALID', 'shape']],
    ['an axis without values', [['shape', '1,0,2']], ['OPTION_INVALID', 'shape']],
    ['a map that is neither true nor false', [['map', 'png']], ['OPTION_INVALID', 'map']],
    [
      'an option that is given twice',
      [
        ['preset', 'a'],
        ['preset', 'b'],
      ],
      ['OPTION_INVALID', 'preset'],
    ],
    [
      'a name that is given twice',
      [
        ['tensor_name', 'a'],
        ['tensor_name', 'b'],
      ],
      ['OPTION_INVALID', 'tensor_name'],
    ],
    ['a field that nothing has', [['tensorname', 'x']], ['OPTION_UNKNOWN', 'tensorname']],
  ] satisfies [string, Field[], [string, string]][])('refuses %s', async (_, fields, [reason, option]) => {
    expect(await refusal([image, tensor, ...fields])).toMatchObject({ reason, metadata: { option } });
  });

  it('suggests the field that may have been meant', async () => {
    expect(await refusal([image, tensor, ['tensorname', 'x']])).toMatchObject({
      metadata: { nearest: 'tensor_name' },
    });
  });

  it('refuses a bad option in the query before it reads the form', async () => {
    expect(await refusal([], '?widht=3')).toMatchObject({ reason: 'OPTION_UNKNOWN' });
  });

  it('refuses a field that both the query and the form have', async () => {
    expect(await refusal([image, tensor, ['map', 'true']], '?map=true')).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'map' },
    });
  });

  it.each(['shape', 'tensor_name'])('refuses %s beside a picture', async (name) => {
    expect(await refusal([image, picture, [name, '1']])).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: name, allowed: 'only with tensor' },
    });
  });

  it.each(['application/json', 'image/jpeg', ''])('refuses a body of the type "%s"', async (type) => {
    const response = await fetch(`${api.url}/v1/skew`, {
      method: 'POST',
      body: new Uint8Array(4),
      headers: type === '' ? {} : { 'content-type': type },
    });
    expect(await problemOf(response)).toMatchObject({
      status: 415,
      reason: 'CONTENT_TYPE_UNSUPPORTED',
      metadata: { allowed: 'multipart/form-data' },
    });
  });

  it.each(['GET', 'PUT'])('refuses %s', async (method) => {
    const response = await fetch(`${api.url}/v1/skew`, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('leaves a tensor that is sent to /v1/images a misplaced file', async () => {
    const body = new FormData();
    body.append('image', file);
    body.append('tensor', file);
    const response = await fetch(`${api.url}/v1/images`, { method: 'POST', body });
    expect(await problemOf(response)).toMatchObject({
      reason: 'SOURCE_MISSING',
      metadata: { actual: 'tensor' },
    });
  });
});
