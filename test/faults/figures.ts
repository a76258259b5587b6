/** One thing that is promised, and what was measured. */
export interface Figure {
  readonly what: string;
  readonly measured: string;
  /** As it stands in the table: `0`, `≤ 1.3`. */
  readonly limit: string;
  readonly holds: boolean;
}

/** Fails and heals something in real processes, and says what came of it. */
export interface Scenario {
  readonly name: string;
  /** A requirement that this machine does not meet, if any. */
  readonly missing?: string | undefined;
  run(): Promise<readonly Figure[]>;
}

export function atMost(what: string, value: number, limit: number, unit = ''): Figure {
  return { what, measured: shown(value, unit), limit: `≤ ${shown(limit, unit)}`, holds: value <= limit };
}

export function atLeast(what: string, value: number, limit: number, unit = ''): Figure {
  return { what, measured: shown(value, unit), limit: `≥ ${shown(limit, unit)}`, holds: value >= limit };
}

export function exactly(what: string, value: number | string, limit: number | string): Figure {
  return { what, measured: String(value), limit: String(limit), holds: value === limit };
}

/** Only reported. */
export function told(what: string, measured: string): Figure {
  return { what, measured, limit: '', holds: true };
}

function shown(value: number, unit: string): string {
  const digits = unit === '' ? 2 : 0;
  const text = Number.isInteger(value) ? String(value) : value.toFixed(digits);
  return unit === '' ? text : `${text} ${unit}`;
}

/** @param share - 0…1; 1 is the largest */
export function percentile(values: readonly number[], share: number): number {
  const at = Math.min(values.length - 1, Math.floor(values.length * share));
  return values.toSorted((a, b) => a - b)[at] ?? Number.NaN;
}

/** A Markdown table; the first row is its head. */
export function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  return `${[head, ...body]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .toSpliced(1, 0, `|${'---|'.repeat(head.length)}`)
    .join('\n')}\n`;
}
