import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readHeader } from '../../../src/processor/codecs/read-header.ts';
import { numericsVersions } from '../../../src/processor/image/provenance.ts';
import { createPresets } from '../../../src/processor/presets/presets.ts';
import { planOf } from '../../../src/processor/rules/rules.ts';
import { processOnePlan } from '../../support/one-plan.ts';
import { requestFor } from '../../support/options.ts';

async function processed(name: string, query: string) {
  const content = new Uint8Array(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url)));
  const plan = planOf(
    requestFor(`format=png&${query.includes('grayscale') ? '' : 'grayscale=false&'}${query}`),
    1_000_000,
    createPresets({}),
  );
  const outcome = await processOnePlan(content, await readHeader(content, 1_000_000), plan, 1_000_000);
  if ('failure' in outcome) throw new Error(outcome.failure.message);
  const { data, info } = await sharp(outcome.result.content).raw().toBuffer({ resolveWithObject: true });
  // sharp reads a gray PNG as three channels.
  const isGray = query.includes('grayscale=true') && info.channels === 3;
  return hash('sha256', isGray ? data.filter((_, at) => at % 3 === 0) : data);
}

// Each SHA-256 is of the bytes that torch 2.15.0 with torchvision 0.29.2, or OpenCV 5.0.0 without IPP, made of
// ImageOps.exif_transpose(Image.open(file)).convert("RGB"), and of the RGBA image itself for alpha.
describe('numerics of torch, from the file to the pixels', () => {
  it.each<[call: string, file: string, query: string, sha256: string]>([
    [
      'rgb_to_grayscale(resize(image, [224, 224], BICUBIC))',
      'sample.jpg',
      'grayscale=true&width=224&height=224&filter=bicubic',
      '2109895af471f4b5719cbff70c7f2ff814903058eef71dffbfa2d22a78bf9514',
    ],
    [
      'resize(center_crop(image, [480, 320]), [300, 200], LANCZOS)',
      'sample.jpg',
      'width=200&height=300&fit=cover&filter=lanczos',
      'c5fc2fd5f6a33d51c276255e1e82ff533404a82e4ac896e31f4f595c460d590d',
    ],
    [
      'resize(image, [225, 300], BILINEAR) between orange bars',
      'sample.jpg',
      'width=300&height=300&fit=contain&background=ff8000',
      '2353fd4c9bdd50a4d99dae5a515adcc392957b37f3f27c11e62caafdf7ec77e3',
    ],
    [
      'resize(image, [30, 17], BILINEAR) of an image that EXIF turns',
      'decode/orientation-6.jpg',
      'width=17&height=30',
      '99425e2739a23adfdf7496bb6f314e01da357179e20a7e043af4e55fedc8516f',
    ],
    [
      'resize(image, [9, 11], BILINEAR) with alpha',
      'decode/rgba.png',
      'width=11&height=9',
      '5587f062ed2110e8161680f973739bb95c84767292ab6a8246ff6e36838ac554',
    ],
  ])('give %s of %s', async (_, file, query, sha256) => {
    expect(await processed(file, `numerics=torch&${query}`)).toBe(sha256);
  });
});

describe('numerics of OpenCV, from the file to the pixels', () => {
  it.each<[call: string, file: string, query: string, sha256: string]>([
    [
      'cvtColor(resize(image, (224, 224), INTER_LINEAR), COLOR_RGB2GRAY)',
      'sample.jpg',
      'grayscale=true&width=224&height=224',
      'bdc71db6b90564af53652fb48c5d983c011be4882159e6970720cbefbcf15cd6',
    ],
    [
      'resize(image[:, 160:480], (200, 300), INTER_CUBIC)',
      'sample.jpg',
      'width=200&height=300&fit=cover&filter=bicubic',
      '0ae4a51e0d5a05493badfb4c34998ecc98cadb7f775191ff6851192c245247bf',
    ],
    [
      'resize(image, (97, 61), INTER_AREA)',
      'sample.jpg',
      'width=97&height=61&filter=box',
      '27f8a2085d928e1908bf4883c7d54bc9240158b629284597dccf01752b8bf127',
    ],
    [
      'resize(image, (17, 30), INTER_LINEAR) of an image that EXIF turns',
      'decode/orientation-6.jpg',
      'width=17&height=30',
      '4d70eb564cffadba2652ba278d46d44720e7933c3171cc60603a9da3b7597630',
    ],
  ])('give %s of %s', async (_, file, query, sha256) => {
    expect(await processed(file, `numerics=opencv&${query}`)).toBe(sha256);
  });
});

describe('numericsVersions', () => {
  it('differ, so that raising one leaves the outputs of the others in the cache', () => {
    expect(new Set(Object.values(numericsVersions)).size).toBe(Object.keys(numericsVersions).length);
  });
});
