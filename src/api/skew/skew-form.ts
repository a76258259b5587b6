import type { SkewRequest } from '../../../gen/image/v1/processor_pb.ts';
import { Failure } from '../../failures.ts';
import { imageOptionNames } from '../../options/image-options.ts';
import { invalidOption } from '../../options/invalid-option.ts';
import { boolean } from '../../options/kinds.ts';
import { joinLists, type OptionTexts, passwordName, unknownOption } from '../../options/parse-options.ts';
import { parseShape, shapeInWords } from '../../options/tensor-shape.ts';
import { parseTolerance, type Tolerance, toleranceInWords } from '../../options/tolerance.ts';
import { type FormPart, misplacedFile, readForm } from '../form-parts.ts';
import type { ImageSource } from '../request-part.ts';
import { variantsOption } from '../variants.ts';

/** The fields of files. */
const fileFields = ['image', 'tensor', 'picture'] as const;

/** The fields of text that are not options of an image. `datatype` is one of them beside `shape`. */
const ownFields: readonly string[] = ['map', 'shape', 'tensor_name', 'tolerance'];

const allFields = [...fileFields, 'url', ...ownFields, ...imageOptionNames];

/** The other program's file. */
export type GivenFile = { readonly case: 'tensor' | 'picture'; readonly value: Uint8Array };

/** The files of a comparison, each list in the order of the form, and its fields of text. */
export interface SkewForm {
  readonly sources: readonly ImageSource[];
  readonly given: readonly GivenFile[];
  readonly texts: OptionTexts;
}

/** The fields of a request that hold for all of its tensors, and for the response. */
export interface SkewSettings {
  readonly shape: readonly bigint[];
  readonly datatype: string;
  readonly name: string;
  readonly map: SkewRequest['map'];
  readonly tolerance: Tolerance | undefined;
}

/**
 * Reads the form of a comparison. Files are views of `body`, not copies.
 *
 * @throws Failure MULTIPART_INVALID, SOURCE_MISSING, SOURCE_BYTES_OVER_LIMIT
 */
export function parseSkewForm(body: Buffer, contentType: string, maxFileBytes: number): SkewForm {
  const files = { maxBytes: maxFileBytes, tooLong: (bytes: number) => fileTooLong(bytes, maxFileBytes) };
  return readForm(body, contentType, files, readParts);
}

function readParts(parts: Iterable<FormPart>): SkewForm {
  const sources: ImageSource[] = [];
  const given: GivenFile[] = [];
  const texts: [name: string, text: string][] = [];
  for (const part of parts) {
    const { name } = part;
    if (name === 'image') sources.push({ case: 'content', value: part.content() });
    else if (name === 'tensor' || name === 'picture') given.push({ case: name, value: part.content() });
    else if (part.isMisplacedFile && !ownFields.includes(name)) throw misplacedFile(name, fileFields);
    else if (name !== 'url') texts.push([name, part.text()]);
    else if (part.size > 0) sources.push({ case: 'url', value: part.text() });
  }
  return { sources, given, texts };
}

/**
 * Takes the fields of a comparison out of the texts of one part of a request, which is the query or the form. Beside a
 * `shape`, the part's `datatype` is that of the raw values, and no option.
 *
 * @returns the fields, and the options of an image
 * @throws Failure OPTION_INVALID, OPTION_UNKNOWN
 */
export function takeSettings(texts: OptionTexts): {
  readonly own: ReadonlyMap<string, string>;
  readonly options: OptionTexts;
} {
  const isRaw = texts.some(([name]) => name === 'shape');
  const own = new Map<string, string>();
  const options: (readonly [name: string, text: string])[] = [];
  for (const [name, text] of joinLists(texts)) {
    if (name === variantsOption) throw noVariants();
    if (!allFields.includes(name) && name !== passwordName) throw unknownOption(name, allFields);
    if (!ownFields.includes(name) && !(isRaw && name === 'datatype')) {
      options.push([name, text]);
    } else {
      const before = own.get(name);
      // `shape=1&shape=3`, as Python's requests writes a list.
      if (before !== undefined && name !== 'shape') throw givenTwice(name, before, text);
      own.set(name, before === undefined ? text : `${before},${text}`);
    }
  }
  return { own, options };
}

/**
 * The settings of the query and of the form.
 *
 * @throws Failure OPTION_INVALID
 */
export function readSettings(parts: readonly ReadonlyMap<string, string>[]): SkewSettings {
  const all = new Map<string, string>();
  for (const [name, text] of parts.flatMap((part) => [...part])) {
    const before = all.get(name);
    if (before !== undefined) throw givenTwice(name, before, text);
    all.set(name, text);
  }
  return {
    shape: shapeOf(all.get('shape')),
    datatype: (all.get('datatype') ?? '').toUpperCase(),
    name: all.get('tensor_name') ?? '',
    map: parseMap(all.get('map')),
    tolerance: toleranceOf(all.get('tolerance')),
  };
}

function shapeOf(text: string | undefined): readonly bigint[] {
  if (text === undefined) return [];
  const shape = parseShape(text);
  if (shape === undefined) throw invalidOption('shape', text, shapeInWords);
  return shape.map(BigInt);
}

function toleranceOf(text: string | undefined): Tolerance | undefined {
  if (text === undefined) return undefined;
  const tolerance = parseTolerance(text);
  if (tolerance === undefined) throw invalidOption('tolerance', text, toleranceInWords);
  return tolerance;
}

function parseMap(text = 'false'): boolean {
  const value = boolean.parse(text);
  if (value === undefined) throw invalidOption('map', text, boolean.allowed);
  return value;
}

function givenTwice(name: string, before: string, text: string): Failure {
  return invalidOption(name, `${before}, ${text}`, 'one value', `${name} is given twice; give it once.`);
}

function noVariants(): Failure {
  return new Failure('OPTION_INVALID', 'A comparison has no variants. Send a request for each preset.', {
    option: variantsOption,
    allowed: 'unset',
  });
}

function fileTooLong(bodyBytes: number, limit: number): Failure {
  return new Failure(
    'SOURCE_BYTES_OVER_LIMIT',
    `A file of the form has more than ${limit} bytes, which is the limit of each.`,
    { limit, actual: bodyBytes },
  );
}
