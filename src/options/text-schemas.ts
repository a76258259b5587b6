import { z } from 'zod';

/**
 * Schemas for values that arrive as text: environment variables, query parameters, form fields, flags.
 * The message of a bad value is what would be allowed, so that whoever reports it adds name and value.
 * The metadata say what a value means, for documents made from the schemas.
 */

/** A whole number; `224.0` is one too, which is how Python writes a float. */
export function wholeNumber(min: number, max: number) {
  const allowed = `a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}(\.0{1,20})?$/, allowed)
    .transform(Number)
    .refine((value) => value >= min && value <= max, allowed)
    .meta({ type: 'integer', minimum: min, maximum: max });
}

/** `true` or `false`; `True` or `False` as Python and .NET write them; `1` or `0` as some deployment tools do. */
export function flag() {
  return z
    .string()
    .regex(/^([Tt]rue|[Ff]alse|1|0)$/, 'true or false')
    .transform((value) => /^([Tt]rue|1)$/.test(value))
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

/** Finite numbers with commas between them, in brackets or not: Python and NumPy write `[0.5, 0.4]` and `[0.5 0.4]`. */
export function numbers() {
  const allowed = 'finite numbers with commas between them';
  return z.string().transform((text, context): number[] => {
    const listed = text.trim().replace(/^[[(](.*?),?[\])]$/s, '$1');
    const parts = listed.includes(',') ? listed.split(',') : listed.trim().split(/\s+/);
    const values = parts.map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
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
