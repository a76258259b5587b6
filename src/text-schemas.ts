import { z } from 'zod';

/**
 * Schemas for values that arrive as text: environment variables, query parameters, form fields, flags.
 * The message of a bad value is what would be allowed, so that whoever reports it adds name and value.
 * The metadata say what a value means, for documents made from the schemas.
 */

/** A whole number. */
export function wholeNumber(min: number, max: number) {
  const allowed = `a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, allowed)
    .transform(Number)
    .refine((value) => value >= min && value <= max, allowed)
    .meta({ type: 'integer', minimum: min, maximum: max });
}

/** `true` or `false`, and `1` or `0` as some deployment tools write them. */
export function flag() {
  return z
    .enum(['true', 'false', '1', '0'], { error: 'true or false' })
    .transform((value) => value === 'true' || value === '1')
    .meta({ type: 'boolean' });
}

/** One word of a list. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `one of ${words.join(', ')}` });
}

/** Words with commas between them; spaces around them do not count. */
export function commaSeparated() {
  return z.string().transform((text) =>
    text
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
  );
}

/** One finite number. */
export function finiteNumber() {
  const allowed = 'a finite number';
  return z
    .string()
    .regex(/\S/, allowed)
    .transform(Number)
    .refine((value) => Number.isFinite(value), allowed);
}

/** Finite numbers with commas between them. */
export function numbers() {
  const allowed = 'finite numbers with commas between them';
  return z.string().transform((text, context): number[] => {
    const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    if (values.every(Number.isFinite)) return values;
    context.addIssue({ code: 'custom', message: allowed });
    return z.NEVER;
  });
}

/**
 * Whether a text is the host of a URL with or without a port: `minio`, `minio:9000`, `10.0.0.7`, `[::1]:80`. A scheme,
 * a path, a wildcard, an address range or a port over 65535 makes it none.
 */
export function isHost(text: string): boolean {
  if (!/^(\[[\da-f:.]+\]|[^\s:/?#@*[\]\\]+)(:\d{1,5})?$/i.test(text)) return false;
  return URL.canParse(`http://${text}`);
}
