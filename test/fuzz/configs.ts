import { readFileSync } from 'node:fs';
import { parsePreprocessorConfig } from '../../src/processor/presets/parse-preprocessor-config.ts';
import { type Case, type Door, outcomeOf } from './door.ts';
import { mutated } from './mutate.ts';
import type { Random } from './random.ts';

const shipped: readonly { readonly config: Record<string, unknown> }[] = JSON.parse(
  readFileSync(new URL('../../src/processor/presets/shipped-presets.json', import.meta.url), 'utf8'),
);
const configs = shipped.map(({ config }) => config);
const texts = configs.map((config) => Buffer.from(JSON.stringify(config)));
const keys = [...new Set(configs.flatMap((config) => Object.keys(config)))];

/** JSON by which somebody else's code was surprised before. */
const oddValues: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    '',
    'x',
    '224',
    [],
    {},
    [[]],
    [null],
    0,
    -1,
    1,
    0.5,
    1e308,
    -0,
    2 ** 53,
    224,
    65_536,
  ],
  ...[
    { height: 0, width: 1e9 },
    { shortest_edge: -1 },
    { shortest_edge: 1e9 },
    { longest_edge: 3 },
    [1, 2],
    [1, 2, 3, 4],
  ],
  ...[
    { __proto__: null, constructor: 1 },
    { shortest_edge: 10, longest_edge: 5 },
    { max_height: 1, max_width: 1 },
  ],
];

/** A preprocessor_config.json with other values, without some, or with other bytes. */
export function mutatedConfig(random: Random): string {
  if (random.oneIn(4)) return mutated(random, texts).content.toString('utf8');
  const config: Record<string, unknown> = structuredClone(random.pick(configs));
  for (let count = random.below(4); count > 0; count--) {
    const key = random.oneIn(10)
      ? random.pick(['constructor', '__proto__', 'toString', ''])
      : random.pick(keys);
    if (random.oneIn(4)) delete config[key];
    else
      Object.defineProperty(config, key, {
        value: random.pick(oddValues),
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return JSON.stringify(config);
}

const reasons = new Set(['PRESET_INVALID', 'PRESET_UNSUPPORTED', 'NUMERICS_UNSUPPORTED']);

/** The parser of preprocessor_config.json. */
export function openConfigDoor(): Door {
  return {
    name: 'preprocessor_config',
    share: 8,
    make(random): Case {
      const config = mutatedConfig(random);
      return {
        input: { 'preprocessor_config.json': config },
        run: () => outcomeOf(reasons, () => parsePreprocessorConfig(config).plan('torch', {})),
      };
    },
    async [Symbol.asyncDispose]() {},
  };
}
