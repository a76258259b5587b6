/** Bytes for a person: 812 bytes, 40.8 kB, 3.2 MB. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} bytes`;
  return count < 1_000_000 ? `${(count / 1000).toFixed(1)} kB` : `${(count / 1_000_000).toFixed(2)} MB`;
}

/** Milliseconds for a person. */
export function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(1)} ms`;
}

/** A value of a tensor with four significant digits, and a minus sign instead of a hyphen. */
export function value(number: number): string {
  const text = Number.isFinite(number) ? Number(number.toPrecision(4)) : number;
  return String(text).replace('-', '−');
}

/** A share of 0 to 1 as a percentage. Small shares are never rounded to 0. */
export function percentage(share: number): string {
  if (share > 0 && share < 0.0001) return '< 0.01 %';
  return `${(100 * share).toFixed(2)} %`;
}

/** A share of 0 to 1 in words: whole percents from 10 on, rounded down so that only all is 100 %. */
export function roundPercentage(share: number): string {
  if (share >= 0.1) return `${Math.floor(100 * share)} %`;
  return share === 0 ? '0 %' : percentage(share);
}
