import { type ImageFormat, ImageFormatSchema } from '../../gen/image/v1/processor_pb.ts';

/*
 * An option's word (`cover`) and the contract's value for it (`Fit.COVER`) differ only in case.
 */

type EnumOf<Word extends string> = Readonly<Record<Uppercase<Word>, number>>;

/** The contract's value of an option's word. That it exists is a matter of types. */
export function enumValue<Word extends string, Values extends EnumOf<Word>>(
  values: Values,
  word: Word,
): Values[Uppercase<Word>] {
  return values[word.toUpperCase() as Uppercase<Word>];
}

/** The option's word for a value of the contract; undefined for UNSPECIFIED and for values that the option lacks. */
export function enumWord<Word extends string>(
  values: EnumOf<Word>,
  words: readonly Word[],
  value: number,
): Word | undefined {
  return words.find((word) => enumValue(values, word) === value);
}

/** The name of a format in headers and JSON: `jpeg`, `png`, … */
export function formatName(format: ImageFormat): string {
  return ImageFormatSchema.value[format]?.localName.toLowerCase() ?? 'unspecified';
}
