import { readFileSync } from 'node:fs';

/** SHA-256 of what libraries make of pictures, by the `id` of the choice that gives the same; made by make_lattice_goldens.py. */
interface LatticeGoldens {
  /** By file in test/fixtures/. */
  readonly decodings: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly grays: Readonly<Record<string, string>>;
}

export const latticeGoldens = JSON.parse(
  readFileSync(new URL('../parity/lattice-goldens.json', import.meta.url), 'utf8'),
) as LatticeGoldens;
