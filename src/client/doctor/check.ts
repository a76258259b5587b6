/** One thing that the doctor looked at. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'wrong';
  /** What was found. */
  readonly detail: string;
  /** What to do, where something is to be done. */
  readonly next?: string;
}

/** What one service told of itself. */
export interface Findings {
  readonly checks: readonly Check[];
  /** Name → version: of the numerics, and of the libraries that decode and encode. */
  readonly versions: Readonly<Record<string, string>>;
  /** By the names of the variables that set them. */
  readonly limits: Readonly<Record<string, number>>;
  /** What a request gets that leaves an option out; image-api's alone. */
  readonly defaults?: Readonly<Record<string, unknown>>;
}

export function ok(name: string, detail: string): Check {
  return { name, state: 'ok', detail };
}

export function wrong(name: string, detail: string, next: string): Check {
  return { name, state: 'wrong', detail, next };
}

/** Something that works and will surprise. */
export function warning(name: string, detail: string, next: string): Check {
  return { name, state: 'warning', detail, next };
}
