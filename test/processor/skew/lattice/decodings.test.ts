import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { turboJpeg } from '../../../../src/processor/codecs/jpeg/turbojpeg.ts';
import { readHeader } from '../../../../src/processor/codecs/read-header.ts';
import { decodingsOf } from '../../../../src/processor/skew/lattice/decodings.ts';
import { latticeGoldens } from '../../../support/lattice-goldens.ts';

const { decodings: goldens } = latticeGoldens;

async function decodedInAllWays(name: string): Promise<Record<string, string | undefined>> {
  const content = new Uint8Array(readFileSync(new URL(`../../../fixtures/${name}`, import.meta.url)));
  const header = await readHeader(content, 1e8);
  const entries: [string, string | undefined][] = [];
  for (const { id, decode } of decodingsOf(header)) {
    const pixels = await decode({ content, header });
    entries.push([id, pixels && hash('sha256', pixels.data)]);
  }
  return Object.fromEntries(entries);
}

// Without TurboJPEG only the first way exists.
describe.skipIf(turboJpeg === undefined)(decodingsOf, () => {
  it.each(Object.keys(goldens))('decodes %s as the libraries do, in each way', async (name) => {
    const decoded = await decodedInAllWays(name);
    expect(goldens[name]).toMatchObject(decoded);
  });

  it.each([
    ['sample.jpg', 10],
    ['decode/444.jpg', 7],
    ['decode/gray.jpg', 5],
  ])('offers only the ways that differ for %s', async (name, count) => {
    expect(Object.keys(await decodedInAllWays(name))).toHaveLength(count);
  });
});
