import { readFileSync } from 'node:fs';

/** The results of libraries; made by test/parity/make_lattice_goldens.py. */
interface LatticeGoldens {
  /** SHA-256 of the pixels by the `id` of the decoding, by file in test/fixtures/. */
  readonly decodings: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** SHA-256 of the levels of every fifth colour, by the `id` of the formula. */
  readonly grays: Readonly<Record<string, string>>;
  /** [32, 48, 3] uint8 in Base64, made of sample.jpg. */
  readonly results: Readonly<Record<string, string>>;
}

export const latticeGoldens = JSON.parse(
  readFileSync(new URL('../parity/lattice-goldens.json', import.meta.url), 'utf8'),
) as LatticeGoldens;
