import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { decoderOf } from '../../src/processor/codecs/codecs.ts';
import { orient } from '../../src/processor/codecs/orient.ts';
import { readHeader } from '../../src/processor/codecs/read-header.ts';

/** Pillow's reading of a picture; see test/parity/make_optional_goldens.py. */
interface Golden {
  readonly mode: 'RGB' | 'RGBA';
  readonly width: number;
  readonly height: number;
  readonly sha256?: string;
  readonly pixels?: string;
}

const { goldens } = JSON.parse(
  readFileSync(new URL('../parity/optional-goldens.json', import.meta.url), 'utf8'),
) as { goldens: Readonly<Record<string, Golden>> };

export function optionalFixture(name: string): Buffer {
  return readFileSync(new URL(`../fixtures/${name.split('.').at(-1)}/${name}`, import.meta.url));
}

/** Names of a format's pictures: those that are decoded to Pillow's bytes, and those that are not. */
export function optionalFixtures(format: 'heic' | 'jxl') {
  const names = readdirSync(new URL(`../fixtures/${format}/`, import.meta.url)).sort();
  const isExact = (name: string) => goldens[name]?.sha256 !== undefined;
  return { exact: names.filter(isExact), lossy: names.filter((name) => !isExact(name)) };
}

/** Compares a picture, decoded and turned upright, with what Pillow has. */
export async function compareWithPillow(name: string) {
  const { mode, width, height, sha256, pixels } = goldens[name] as Golden;
  const content = optionalFixture(name);
  const header = await readHeader(content, 1_000_000);
  const decoder = await decoderOf(header.format);
  const upright = orient(await decoder.decode(content, header), header.orientation);
  const ours = inMode(upright.data, upright.channels, mode);
  const theirs = pixels === undefined ? ours : inflateSync(Buffer.from(pixels, 'base64'));
  const differences = theirs.map((value, at) => Math.abs(value - (ours[at] ?? 0)));
  return {
    ours: { width: upright.width, height: upright.height, sha256: hash('sha256', ours) },
    theirs: { width, height, sha256 },
    mostLevels: differences.reduce((most, difference) => Math.max(most, difference), 0),
  };
}

function inMode(data: Uint8Array, channels: number, mode: Golden['mode']): Uint8Array {
  const bytes = new Uint8Array((data.length / channels) * mode.length);
  for (let at = 0; at < bytes.length; at++) {
    const pixel = Math.floor(at / mode.length) * channels;
    bytes[at] = data[pixel + (channels === 1 ? 0 : at % mode.length)] as number;
  }
  return bytes;
}
