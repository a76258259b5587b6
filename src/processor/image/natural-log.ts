/** Bits after the point of the numbers below. */
const precision = 128n;
const one = 1n << precision;

/**
 * The natural logarithm rounded to the nearest double, as that of C libraries is, so that differences of logarithms are equal
 * where theirs are. Math.log of V8 differs in the last bit for some numbers, such as 9.
 *
 * @param value - a positive number that is not subnormal
 */
export function naturalLog(value: number): number {
  let exponent = Math.floor(Math.log2(value));
  if (value / 2 ** exponent > Math.SQRT2) exponent++;
  // Between √½ and √2, where the series below needs few terms.
  const mantissa = BigInt((value / 2 ** exponent) * 2 ** 60) << (precision - 60n);
  const log = twiceAtanh(((mantissa - one) << precision) / (mantissa + one)) + BigInt(exponent) * logOf2();
  return Number(log) / 2 ** Number(precision);
}

/** 2 · (z + z³/3 + z⁵/5 + …), which is the logarithm of (1 + z) / (1 − z). */
function twiceAtanh(z: bigint): bigint {
  const square = (z * z) >> precision;
  let sum = 0n;
  for (let power = z, divisor = 1n; power !== 0n && power !== -1n; divisor += 2n) {
    sum += power / divisor;
    power = (power * square) >> precision;
  }
  return 2n * sum;
}

let knownLogOf2: bigint | undefined;

function logOf2(): bigint {
  knownLogOf2 ??= twiceAtanh(one / 3n);
  return knownLogOf2;
}
