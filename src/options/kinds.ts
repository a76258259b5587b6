/*
 * The kinds of values that arrive as text: in a query, a form, a flag, an environment variable or a field of the
 * playground. Nothing here needs a library, because the playground's bundle contains it.
 */

/** A kind of value: how its text is read, and what is allowed. */
export interface Kind<Value> {
  /** The value of a text; undefined for a text that is not allowed. */
  readonly parse: (text: string) => Value | undefined;
  /** The allowed values, in words that follow "allowed: ". */
  readonly allowed: string;
  /** The value as a JSON Schema (2020-12). */
  readonly schema: Readonly<Record<string, unknown>>;
}

/** A kind whose values are the words of a list. */
export interface WordKind<Word extends string> extends Kind<Word> {
  readonly words: readonly Word[];
}

/** A kind whose values are whole numbers of a range. */
export interface IntegerKind extends Kind<number> {
  readonly min: number;
  readonly max: number;
}

/** A whole number from `min` to `max`. `224.0` is one too: Python writes a float so. */
export function integer(min: number, max: number): IntegerKind {
  return {
    parse(text) {
      const value = /^\d{1,15}(\.0{1,20})?$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? value : undefined;
    },
    allowed: `a whole number from ${min} to ${max}`,
    schema: { type: 'integer', minimum: min, maximum: max },
    min,
    max,
  };
}

/** `true` or `false`; also `True` or `False`, as Python and .NET write them, and `1` or `0`, as deployment tools do. */
export const boolean: Kind<boolean> = {
  parse: (text) => (/^([Tt]rue|1|[Ff]alse|0)$/.test(text) ? /^([Tt]rue|1)$/.test(text) : undefined),
  allowed: 'true or false',
  schema: { type: 'boolean' },
};

/** One word of a list. */
export function word<const Words extends readonly [string, ...string[]]>(
  words: Words,
): WordKind<Words[number]> {
  return {
    parse: (text) => words.find((each) => each === text),
    allowed: `one of ${words.join(', ')}`,
    schema: { type: 'string', enum: words },
    words,
  };
}

/** A finite number. */
export const finiteNumber: Kind<number> = {
  parse: (text) => finite(text),
  allowed: 'a finite number',
  schema: { type: 'number' },
};

/** A number from `min` to `max`, with a fraction or without. */
export function numberFrom(min: number, max: number): Kind<number> {
  return {
    parse(text) {
      const value = finite(text);
      return value !== undefined && value >= min && value <= max ? value : undefined;
    },
    allowed: `a number from ${min} to ${max}`,
    schema: { type: 'number', minimum: min, maximum: max },
  };
}

/**
 * Finite numbers, separated by commas. Python and NumPy write brackets around them (`[0.5, 0.4]`), NumPy without commas
 * (`[0.5 0.4]`).
 */
export const finiteNumbers: Kind<readonly number[]> = {
  parse(text) {
    const list = text.trim().replace(/^[[(](.*?),?[\])]$/s, '$1');
    const parts = list.includes(',') ? list.split(',') : list.trim().split(/\s+/);
    const values = parts.map(finite).filter((value) => value !== undefined);
    return values.length === parts.length ? values : undefined;
  },
  allowed: 'finite numbers with commas between them',
  schema: { type: 'string' },
};

/**
 * One length for both sides of an image, or its height and width, in pixels: `640`, `480,640`, and with brackets as
 * {@link finiteNumbers}.
 */
export function heightAndWidth(min: number, max: number): Kind<readonly number[]> {
  return {
    parse(text) {
      const sides = finiteNumbers.parse(text);
      const isSide = (side: number) => Number.isInteger(side) && side >= min && side <= max;
      return sides !== undefined && sides.length <= 2 && sides.every(isSide) ? sides : undefined;
    },
    allowed: `a whole number from ${min} to ${max}, or two of them: height,width`,
    schema: { type: 'string' },
  };
}

/** A colour as `RRGGBB` or `#RRGGBB`; the value is `#rrggbb`. */
export const colour: Kind<string> = {
  parse: (text) => (/^#?[0-9a-fA-F]{6}$/.test(text) ? `#${text.replace('#', '').toLowerCase()}` : undefined),
  allowed: 'a colour as RRGGBB or #RRGGBB',
  schema: { type: 'string', pattern: '^#?[0-9a-fA-F]{6}$' },
};

/**
 * A text of 1 to `maxLength` characters.
 *
 * @param allowed - what the text is, in words
 */
export function text(allowed: string, maxLength = Number.POSITIVE_INFINITY): Kind<string> {
  return {
    parse: (given) => (given.length >= 1 && given.length <= maxLength ? given : undefined),
    allowed,
    schema: { type: 'string', minLength: 1, ...(Number.isFinite(maxLength) && { maxLength }) },
  };
}

function finite(part: string): number | undefined {
  const value = part.trim() === '' ? Number.NaN : Number(part);
  return Number.isFinite(value) ? value : undefined;
}
