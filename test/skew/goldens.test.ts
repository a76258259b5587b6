import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compareHere } from './comparison.ts';
import { type Expected, verdictOf } from './verdict.ts';

/** Tensors of 48 × 48 of libraries, made by make_goldens.py. */
interface Goldens {
  readonly configs: Readonly<Record<string, object>>;
  /** Files, in base64. */
  readonly sources: Readonly<Record<string, string>>;
  readonly tensors: readonly {
    readonly name: string;
    readonly source: string;
    /** The name of the config. */
    readonly meant: string;
    readonly expected: Expected;
    readonly datatype: string;
    readonly shape: readonly number[];
    /** Values, compressed by zlib, in base64. */
    readonly deflated: string;
  }[];
}

const goldens = JSON.parse(readFileSync(new URL('goldens.json', import.meta.url), 'utf8')) as Goldens;

const decoded = (base64: string) => Uint8Array.from(Buffer.from(base64, 'base64'));

describe('the cause of a tensor of another library', () => {
  it.each(goldens.tensors)(
    'is named for $name',
    async ({ source, meant, expected, datatype, shape, deflated }) => {
      const report = await compareHere({
        image: decoded(goldens.sources[source] as string),
        tensor: { datatype, shape, bytes: Uint8Array.from(inflateSync(decoded(deflated))) },
        meant: { preprocessorConfig: JSON.stringify(goldens.configs[meant]) },
      });
      expect(verdictOf(expected, report)).toMatchObject({ isRight: true, problem: '' });
    },
  );
});
