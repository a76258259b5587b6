import { type Round, roundTo } from './floats.ts';
import { inChannel, type Normalization, type ValueRule } from './value-rules.ts';

/*
 * How programs round the operations of a value rule. Each arithmetic makes a function from a level to a value, before the
 * value is rounded to the tensor's datatype.
 */

export interface Arithmetic {
  /** Unique. */
  readonly words: string;
  /** @returns undefined if the arithmetic cannot compute this rule */
  of(rule: ValueRule, channel: number): Round | undefined;
}

type Operation = (constant: number, round: Round) => Round;

/** Multiplication by a factor. */
const factors = {
  /** NumPy: uint8 · float64, then rounded. PyTorch multiplies halves by a factor of FP32. */
  product: ((factor, round) => {
    const own = round === roundTo.FP16 || round === roundTo.BF16 ? Math.fround(factor) : factor;
    return (x) => round(x * own);
  }) as Operation,
  /** x / 255: torchvision's to_tensor, `img.astype(np.float32) / 255`. */
  quotient: ((factor, round) => {
    const divisor = Math.round(2 / factor) / 2;
    return (x) => round(x / divisor);
  }) as Operation,
  /** PyTorch, and NumPy on float32: the factor is rounded first. */
  rounded: ((factor, round) => {
    const own = round(factor);
    return (x) => round(x * own);
  }) as Operation,
} as const;

type FactorStyle = keyof typeof factors;

/** Subtraction of a mean and division by a std. */
interface NormalizationStyle {
  readonly words: string;
  readonly subtract: Operation;
  readonly divide: Operation;
}

const subtractRounded: Operation = (mean, round) => {
  const own = round(mean);
  return (y) => round(y - own);
};
const subtractExact: Operation = (mean, round) => (y) => round(y - mean);

const normalizationStyles: readonly NormalizationStyle[] = [
  {
    words: '',
    subtract: subtractRounded,
    divide: (std, round) => {
      const own = round(std);
      return (y) => round(y / own);
    },
  },
  {
    words: 'mean and std in FP64',
    subtract: subtractExact,
    divide: (std, round) => (y) => round(y / std),
  },
  {
    words: 'times 1 / std',
    subtract: subtractRounded,
    divide: (std, round) => {
      const own = round(1 / std);
      return (y) => round(y * own);
    },
  },
  {
    words: 'times the reciprocal of the rounded std',
    subtract: subtractRounded,
    divide: (std, round) => {
      const own = round(1 / round(std));
      return (y) => round(y * own);
    },
  },
  {
    words: 'times 1 / std in FP64',
    subtract: subtractExact,
    divide: (std, round) => {
      const own = 1 / std;
      return (y) => round(y * own);
    },
  },
  {
    words: 'mean in FP64, times 1 / std',
    subtract: subtractExact,
    divide: (std, round) => {
      const own = round(1 / std);
      return (y) => round(y * own);
    },
  },
];

const precisions = {
  FP32: 'each operation in FP32',
  FP64: 'each operation in FP64',
  FP16: 'each operation in FP16',
  BF16: 'each operation in BF16',
} as const;

const factorWords: Readonly<Record<FactorStyle, string>> = {
  product: '',
  quotient: 'scaled by a division',
  rounded: 'scaled by a rounded factor',
};

function stepwise(
  words: string,
  factorStyle: FactorStyle,
  { subtract, divide }: NormalizationStyle,
  [first, second]: readonly [Round, Round],
): Arithmetic {
  return {
    words,
    of: ({ factors: products, normalizations }, channel) => {
      const steps: Round[] = [];
      for (const factor of products) {
        if (factor === 1) continue;
        if (factorStyle === 'quotient' && !isQuotient(factor)) return undefined;
        steps.push(factors[factorStyle](factor, first));
      }
      for (const { mean, std } of normalizations) {
        const [subtrahend, divisor] = [inChannel(mean, channel), inChannel(std, channel)];
        if (subtrahend !== 0) steps.push(subtract(subtrahend, second));
        if (divisor !== 1) steps.push(divide(divisor, second));
      }
      return (x) => {
        let value = x;
        for (const step of steps) value = step(value);
        return value;
      };
    },
  };
}

/** Whether a factor is the reciprocal of a half of an integer: 1/255, 1/127.5. */
function isQuotient(factor: number): boolean {
  const divisor = Math.round(2 / factor) / 2;
  return divisor >= 1 && Math.abs(divisor * factor - 1) < 1e-12;
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(', ');
}

/** Each operation is rounded to one datatype, or the scaling to FP32 and the others to FP64. */
const stepwiseArithmetics: readonly Arithmetic[] = [
  ...Object.entries(precisions).flatMap(([datatype, words]) => {
    const round = roundTo[datatype as keyof typeof precisions];
    return styles().map(([factorStyle, normalization]) =>
      stepwise(joined(factorWords[factorStyle], words, normalization.words), factorStyle, normalization, [
        round,
        round,
      ]),
    );
  }),
  ...styles().map(([factorStyle, normalization]) =>
    stepwise(
      joined(factorWords[factorStyle], 'scaled in FP32, normalized in FP64', normalization.words),
      factorStyle,
      normalization,
      [Math.fround, roundTo.FP64],
    ),
  ),
];

function styles(): readonly (readonly [FactorStyle, NormalizationStyle])[] {
  const names = Object.keys(factors) as FactorStyle[];
  return names.flatMap((name) => normalizationStyles.map((normalization) => [name, normalization] as const));
}

/** Scaling and normalization in one. @param of - the function for a factor f, a mean m and a std s */
function fused(words: string, of: (f: number, m: number, s: number) => Round): Arithmetic {
  return {
    words,
    of: (rule, channel) => {
      const [{ mean, std }, ...others] = rule.normalizations as [Normalization, ...Normalization[]];
      const [factor = 1, ...factorsLeft] = rule.factors;
      if (others.length + factorsLeft.length > 0) return undefined;
      return of(factor, inChannel(mean, channel), inChannel(std, channel));
    },
  };
}

const { fround } = Math;

const fusedArithmetics: readonly Arithmetic[] = [
  // transformers' TorchvisionBackend: PyTorch multiplies an FP32 tensor by a number that it rounds to FP32.
  fused('rescaling and normalization fused, in FP32', (f, m, s) => {
    const scale = fround(1 / f);
    const [mean, std] = [fround(fround(m) * scale), fround(fround(s) * scale)];
    return (x) => fround(fround(x - mean) / std);
  }),
  // NormalizeImage of PaddleOCR.
  fused('one product and one sum, in FP32', (f, m, s) => {
    const [gain, bias] = [fround(f / s), fround(-m / s)];
    return (x) => fround(fround(x * gain) + bias);
  }),
  // OpenCV's convertTo, and other fused multiply-adds.
  fused('one fused multiply-add, in FP32', (f, m, s) => {
    const [gain, bias] = [fround(f / s), fround(-m / s)];
    return (x) => fround(x * gain + bias);
  }),
  fused('one product and one sum, in FP64', (f, m, s) => {
    const [gain, bias] = [f / s, -m / s];
    return (x) => x * gain + bias;
  }),
  // cv2.dnn.blobFromImage with a mean in levels, then a division by the std.
  ...(['FP32', 'FP64'] as const).map((datatype) =>
    fused(`mean subtracted from levels, then scaled by a factor of ${datatype}`, (f, m, s) => {
      const [mean, factor, std] = [fround(m / f), roundTo[datatype](f), fround(s)];
      return (x) => fround(fround(fround(x - mean) * factor) / std);
    }),
  ),
  // albumentations' Normalize: img -= mean * 255; img *= 1 / (std * 255); the constants in FP32, or of FP32 ones.
  ...[
    ['', (m: number, level: number) => fround(m * level)],
    [' of rounded ones', (m: number, level: number) => fround(fround(m) * level)],
  ].flatMap(([words, times]) => {
    const constant = times as (m: number, level: number) => number;
    return [
      fused(`(x − mean × 255) × 1 / (std × 255) in FP32, with constants${words}`, (f, m, s) => {
        const [mean, inverse] = [constant(m, 1 / f), fround(1 / constant(s, 1 / f))];
        return (x) => fround(fround(x - mean) * inverse);
      }),
      // albucore's table for uint8: FP64 arithmetic with constants of FP32.
      fused(`(x − mean × 255) × 1 / (std × 255) in FP64, with FP32 constants${words}`, (f, m, s) => {
        const [mean, inverse] = [constant(m, 1 / f), fround(1 / constant(s, 1 / f))];
        return (x) => (x - mean) * inverse;
      }),
    ];
  }),
  fused('(x − mean × 255) / (std × 255) in FP32', (f, m, s) => {
    const [mean, std] = [fround(m / f), fround(s / f)];
    return (x) => fround(fround(x - mean) / std);
  }),
  fused('(x − mean × 255) × 1 / (std × 255) in FP32, from FP64 constants', (f, m, s) => {
    const [mean, inverse] = [fround(m / f), fround(f / s)];
    return (x) => fround(fround(x - mean) * inverse);
  }),
  // mmcv's imnormalize: cv2.subtract and cv2.multiply by scalars.
  fused('x − mean × 255 in FP32, × 1 / (std × 255) in FP64', (f, m, s) => {
    const [mean, inverse] = [fround(m / f), f / s];
    return (x) => fround(x - mean) * inverse;
  }),
  fused('(x − mean × 255) / (std × 255) in FP64', (f, m, s) => {
    const [mean, std] = [m / f, s / f];
    return (x) => (x - mean) / std;
  }),
  // Keras's mode tf and others: x / 127.5 − 1.
  fused('x / 127.5 − 1 in FP32', (f, m, s) => {
    const [divisor, offset] = [fround(s / f), fround(m / s)];
    return (x) => fround(fround(x / divisor) - offset);
  }),
  fused('x × (1 / 127.5) − 1 in FP32', (f, m, s) => {
    const [factor, offset] = [fround(f / s), fround(m / s)];
    return (x) => fround(fround(x * factor) - offset);
  }),
  fused('x / 127.5 − 1 in FP64', (f, m, s) => {
    const [divisor, offset] = [s / f, m / s];
    return (x) => x / divisor - offset;
  }),
  fused('x / 255 × 2 − 1 in FP32', (f, m, s) => {
    const [divisor, factor, offset] = [fround(1 / f), fround(1 / s), fround(m / s)];
    return (x) => fround(fround(fround(x / divisor) * factor) - offset);
  }),
];

/** The arithmetics in use, the most usual first. */
export const arithmetics: readonly Arithmetic[] = [...stepwiseArithmetics, ...fusedArithmetics];
