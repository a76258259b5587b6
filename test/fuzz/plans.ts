import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type Filter,
  type ImageFormat,
  Numerics,
  type ProcessRequest,
  ProcessRequestSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { ownPresets } from '../../src/processor/presets/presets.ts';
import { mutatedConfig } from './configs.ts';
import type { Random } from './random.ts';

type Init = Exclude<MessageInitShape<typeof ProcessRequestSchema>, ProcessRequest>;

const presetNames = ownPresets.map(({ name }) => name);

/** One of an enum's first values, or of those that it doesn't have. */
function oneOf<Enum extends number>(random: Random, count: number): Enum {
  return random.below(count) as Enum;
}

/** Pixels: mostly what one asks for, and now and then the ends of the type. */
function side(random: Random): number {
  if (random.oneIn(40)) return random.pick([0, 65_535, 65_536, 2 ** 32 - 1]);
  return 1 + random.below(random.pick([4, 64, 300, 300, 2000]));
}

/** Anything that can be asked for, and some that can't. */
export function randomRequest(random: Random): ProcessRequest {
  const numerics = random.oneIn(3) ? Numerics.FAST : oneOf<Numerics>(random, 3);
  const output = randomOutput(random);
  if (random.oneIn(5)) {
    const preset = random.oneIn(2)
      ? { preset: random.pick(presetNames) }
      : { preprocessorConfig: mutatedConfig(random) };
    return create(ProcessRequestSchema, {
      ...preset,
      numerics,
      ...(random.oneIn(2) ? {} : { output: presetOutput(random) }),
    });
  }
  return create(ProcessRequestSchema, {
    numerics,
    output,
    grayscale: random.oneIn(2),
    background: random.oneIn(4) ? random.pick(['#000000', '#fFa07A', '#12345', 'red', '#'.repeat(5000)]) : '',
    ...(random.oneIn(6) ? {} : { resize: randomResize(random) }),
    ...(random.oneIn(4) ? { crop: { width: side(random), height: side(random) } } : {}),
  });
}

function randomResize(random: Random): NonNullable<Init['resize']> {
  const filter = oneOf<Filter>(random, random.oneIn(20) ? 9 : 7);
  if (random.oneIn(4)) return { shortestEdge: side(random), filter };
  if (random.oneIn(6))
    return random.oneIn(2) ? { width: side(random), filter } : { height: side(random), filter };
  return { width: side(random), height: side(random), fit: oneOf(random, random.oneIn(20) ? 8 : 6), filter };
}

function presetOutput(random: Random): NonNullable<Init['output']> {
  return random.oneIn(2)
    ? { case: 'image', value: { format: oneOf(random, 4) } }
    : {
        case: 'tensor',
        value: { container: oneOf(random, 4), layout: oneOf(random, 3), datatype: oneOf(random, 5) },
      };
}

function randomOutput(random: Random): NonNullable<Init['output']> {
  if (random.oneIn(6)) return { case: undefined };
  if (random.oneIn(2)) {
    const format = oneOf<ImageFormat>(random, random.oneIn(20) ? 8 : 4);
    return { case: 'image', value: { format, quality: random.oneIn(2) ? 0 : random.below(102) } };
  }
  const values = (): number[] => {
    const length = random.pick([0, 0, 1, 1, 3, random.below(6)]);
    return Array.from({ length }, () =>
      random.pick([0.5, 1, -1, 0, 1e-50, 1e300, Number.NaN, random.below(256)]),
    );
  };
  return {
    case: 'tensor',
    value: {
      container: oneOf(random, 4),
      layout: oneOf(random, 3),
      datatype: oneOf(random, random.oneIn(20) ? 7 : 5),
      channelOrder: oneOf(random, 3),
      mean: random.oneIn(2) ? [] : values(),
      std: random.oneIn(2) ? [] : values(),
      ...(random.oneIn(2)
        ? {}
        : { rescaleFactor: random.pick([1, 1 / 255, 0, -3, 1e300, 5e-324, Number.NaN]) }),
    },
  };
}

/** As `randomRequest`, but nine in ten of those that `check` refuses are replaced, or few would get to a decoder. */
export function mostlySensible(random: Random, check: (request: ProcessRequest) => unknown): ProcessRequest {
  for (;;) {
    const request = randomRequest(random);
    try {
      check(request);
      return request;
    } catch {
      if (random.oneIn(10)) return request;
    }
  }
}
