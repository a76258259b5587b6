import * as z from 'zod';
import { boolean, integer, type Kind, numberFrom } from './kinds.ts';

/*
 * Schemas of environment variables. The message for a bad value says what is allowed, so that the caller adds only the
 * name and the value.
 */

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number) {
  return ofKind(integer(min, max));
}

/** `true` or `false`. */
export function flag() {
  return ofKind(boolean);
}

/** A number from `min` to `max`, with a fraction or without. */
export function numberInRange(min: number, max: number) {
  return ofKind(numberFrom(min, max));
}

/** One word of a list. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `one of ${words.join(', ')}` });
}

/** A text of some kind. */
export function ofKind<Value>(kind: Kind<Value>) {
  return z.string().transform((text, context): Value => {
    const value = kind.parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: kind.allowed });
    return z.NEVER;
  });
}

/** Words separated by commas; spaces around them do not count. */
export function commaSeparated() {
  return z.string().transform((text) =>
    text
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== ''),
  );
}

/**
 * Whether a text is the host of a URL with or without a port: `minio`, `minio:9000`, `10.0.0.7`, `[::1]:80`. A text with
 * a scheme, a path, a wildcard, an address range or a port over 65535 is not.
 */
export function isHost(text: string): boolean {
  if (!/^(\[[\da-f:.]+\]|[^\s:/?#@*[\]\\]+)(:\d{1,5})?$/i.test(text)) return false;
  return URL.canParse(`http://${text}`);
}
