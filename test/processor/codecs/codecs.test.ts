import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ImageFormat } from '../../../gen/image/v1/processor_pb.ts';
import { codecOf, defaultFormats, sourceFormats } from '../../../src/processor/codecs/codecs.ts';

interface Package {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
}

const { dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as Package;

describe('codecs', () => {
  it('has a row for every format of the contract', () => {
    const names = Object.keys(ImageFormat).filter(
      (name) => Number.isNaN(Number(name)) && name !== 'UNSPECIFIED',
    );
    expect(sourceFormats.map((format) => format.toUpperCase()).sort()).toEqual(names.sort());
  });

  it('omits by default the formats that need an optional package', () => {
    expect(sourceFormats.filter((format) => !defaultFormats.includes(format))).toEqual(['heic', 'jxl']);
  });

  it('names the optional packages as package.json does', () => {
    const packages = sourceFormats.flatMap((format) => codecOf(format).peer ?? []);
    expect(Object.fromEntries(packages.map((peer) => [peer.package, peer.version]))).toEqual(
      peerDependencies,
    );
    for (const peer of packages) {
      expect(peerDependenciesMeta[peer.package]).toEqual({ optional: true });
      expect(dependencies).not.toHaveProperty(peer.package);
    }
  });
});
