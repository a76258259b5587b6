/** The result of one check. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'wrong';
  readonly detail: string;
  /** The next step, where there is one. */
  readonly next?: string;
}

/** The results for one service. */
export interface Findings {
  readonly checks: readonly Check[];
  /** Name → version: of the numerics, and of the libraries that decode and encode. */
  readonly versions: Readonly<Record<string, string>>;
  /** By the names of their environment variables. */
  readonly limits: Readonly<Record<string, number>>;
  /** The defaults of the options; only image-api has them. */
  readonly defaults?: Readonly<Record<string, unknown>>;
}

export function ok(name: string, detail: string): Check {
  return { name, state: 'ok', detail };
}

export function wrong(name: string, detail: string, next: string): Check {
  return { name, state: 'wrong', detail, next };
}

/** A result that works but may be unexpected. */
export function warning(name: string, detail: string, next: string): Check {
  return { name, state: 'warning', detail, next };
}
