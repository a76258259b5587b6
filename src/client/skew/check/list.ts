import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { Failure, failureKinds } from '../../../failures.ts';
import { nearestNames } from '../../../nearest-names.ts';
import { isOptionName } from '../../../options/image-options.ts';
import { optionTexts, parseOptions } from '../../../options/parse-options.ts';
import { parseShape, shapeInWords } from '../../../options/tensor-shape.ts';
import { parseTolerance, type Tolerance, toleranceInWords } from '../../../options/tolerance.ts';
import { ClientError } from '../../client-error.ts';
import type { JobFailure, JobSource, SourceFile } from '../../job/images.ts';
import { inputFailure, ownFailure } from '../../job/journal/own-failures.ts';
import { baseOf, bytesOfList, fileOfList, type RowFailure } from '../../job/lists/lists.ts';
import { linesOf } from '../../job/lists/rows.ts';
import { pathOf } from '../../job/output/file-names.ts';
import type { QueuedImage } from '../../job/sending/queue-entry.ts';
import { type Comparison, expectedRequest, type GivenForm } from '../comparison.ts';
import type { CheckArguments, RawForm } from '../skew-arguments.ts';

/** A line of a list, with its texts as they are written. */
export interface ListedPair {
  /** From 1. */
  readonly line: number;
  /** The title of the pair in reports. */
  readonly name: string;
  /** A path or a URL; empty where the line has none. */
  readonly image: string;
  /** A path; empty where the line has none. */
  readonly tensor: string;
  /** The preset, or empty. */
  readonly preset: string;
  readonly tolerance: Tolerance | undefined;
}

/** A line that can be compared. */
export interface CheckedPair extends ListedPair, QueuedImage {
  readonly file: SourceFile;
  readonly comparison: Comparison;
}

/** The lines of a list. */
export interface CheckList {
  readonly pairs: readonly CheckedPair[];
  readonly refused: readonly { readonly pair: ListedPair; readonly failure: JobFailure }[];
}

const text = z.string().min(1);
const lineSchema = z.strictObject({
  name: text.optional(),
  image: text.optional(),
  url: text.optional(),
  tensor: text.optional(),
  picture: text.optional(),
  preset: text.optional(),
  preprocessor_config: z.union([text, z.record(z.string(), z.unknown())]).optional(),
  options: z.record(z.string(), z.unknown()).optional(),
  tolerance: z.union([z.number(), text]).optional(),
  tensor_name: text.optional(),
  shape: z.union([text, z.array(z.number())]).optional(),
  datatype: text.optional(),
});
type Line = z.infer<typeof lineSchema>;

const fieldNames = Object.keys(lineSchema.shape);

/**
 * Reads a list of pairs. A bad line fails by itself.
 *
 * @throws ClientError for a list that cannot be read or has no line
 */
export async function readCheckList(check: CheckArguments, signal: AbortSignal): Promise<CheckList> {
  const { list } = check;
  const base = baseOf(list, check.base);
  const pairs: CheckedPair[] = [];
  const refused: { pair: ListedPair; failure: JobFailure }[] = [];
  for (const [line, written] of linesOf(await bytesOfList(list, signal))) {
    signal.throwIfAborted();
    const parsed = parseLine(written);
    const pair = listedPair(line, parsed, check);
    const result = 'reason' in parsed ? parsed : await checkedPair(pair, parsed, check, base);
    if (!('reason' in result)) pairs.push(result);
    else refused.push({ pair, failure: { source: pair.image, ...withLine(result, list, line) } });
  }
  if (pairs.length + refused.length > 0) return { pairs, refused };
  const name = list === '-' ? 'Standard input' : `"${list}"`;
  throw new ClientError('usage', 'LIST_EMPTY', `${name} has no line; a check of nothing would always pass.`);
}

function withLine(failure: RowFailure, list: string, line: number): RowFailure {
  return { ...failure, metadata: { ...failure.metadata, list, line: String(line) } };
}

function parseLine(written: string): Line | RowFailure {
  let json: unknown;
  try {
    json = JSON.parse(written);
  } catch {
    return invalid('The line is not JSON.');
  }
  const { data, error } = lineSchema.safeParse(json);
  if (error === undefined) return data;
  const [issue] = error.issues;
  if (issue?.code === 'unrecognized_keys') return unknownField(issue.keys[0] ?? '');
  const field = issue?.path.join('.') ?? '';
  return invalid(`${field === '' ? 'The line' : `"${field}"`}: ${issue?.message ?? 'invalid'}.`);
}

function unknownField(key: string): RowFailure {
  const nearest = nearestNames(key, fieldNames);
  const advice =
    nearest.length > 0
      ? `did you mean "${nearest.join('" or "')}"?`
      : isOptionName(key)
        ? `options of the expected tensor belong in "options".`
        : `the fields are ${fieldNames.join(', ')}.`;
  return invalid(`There is no field "${key}"; ${advice}`);
}

function invalid(message: string): RowFailure {
  return ownFailure('ROW_INVALID', message);
}

function listedPair(line: number, parsed: Line | RowFailure, check: CheckArguments): ListedPair {
  if ('reason' in parsed) {
    return { line, name: `line ${line}`, image: '', tensor: '', preset: '', tolerance: check.tolerance };
  }
  const image = parsed.image ?? parsed.url ?? '';
  const tensor = parsed.tensor ?? parsed.picture ?? '';
  const byDefault = check.options.find(([name]) => name === 'preset')?.[1] ?? '';
  const preset = parsed.preset ?? (parsed.preprocessor_config === undefined ? byDefault : '');
  const files = [image, tensor].filter((path) => path !== '').join(', ');
  const tolerance =
    parsed.tolerance === undefined ? check.tolerance : parseTolerance(String(parsed.tolerance));
  return { line, name: parsed.name ?? (files || `line ${line}`), image, tensor, preset, tolerance };
}

async function checkedPair(
  pair: ListedPair,
  line: Line,
  check: CheckArguments,
  base: string,
): Promise<CheckedPair | RowFailure> {
  if ((line.image === undefined) === (line.url === undefined)) {
    return ownFailure('SOURCE_MISSING', 'The line needs one of "image", a path, and "url".');
  }
  if ((line.tensor === undefined) === (line.picture === undefined)) {
    return invalid('The line needs one of "tensor" and "picture", each a path.');
  }
  if (line.tolerance !== undefined && pair.tolerance === undefined) {
    return invalid(`"tolerance" is "${line.tolerance}"; allowed: ${toleranceInWords}.`);
  }
  const given = givenForm(line, check.raw);
  if ('reason' in given) return given;
  const expected = await expectedOf(line, check, base);
  if ('reason' in expected) return expected;
  const source: JobSource | RowFailure =
    line.url === undefined ? await namedFile('image', pair.image, base) : { url: line.url };
  if ('reason' in source) return source;
  const file = await namedFile(line.tensor === undefined ? 'picture' : 'tensor', pair.tensor, base);
  if ('reason' in file) return file;
  return { ...pair, source, file, comparison: { expected, given, tolerance: pair.tolerance } };
}

async function namedFile(field: string, path: string, base: string): Promise<SourceFile | RowFailure> {
  const file = await fileOfList(path, base);
  return 'reason' in file ? { ...file, message: `"${field}" is "${path}". ${file.message}` } : file;
}

function givenForm(line: Line, byDefault: RawForm): GivenForm | RowFailure {
  if (line.picture !== undefined) return { case: 'picture' };
  const name = line.tensor_name ?? byDefault.name;
  if (line.shape === undefined) return { case: 'tensor', ...byDefault, name };
  const shape = parseShape(String(line.shape));
  if (shape === undefined) return invalid(`"shape" is "${line.shape}"; allowed: ${shapeInWords}.`);
  const datatype = line.datatype ?? byDefault.datatype;
  if (datatype === '') return invalid('"shape" is of raw values, which need "datatype" too, such as FP32.');
  return { case: 'tensor', shape, datatype: datatype.toUpperCase(), name };
}

/** The request for the expected tensor: a line's own options come before those of the command line. */
async function expectedOf(
  { preset, preprocessor_config: config, options = {} }: Line,
  check: CheckArguments,
  base: string,
): Promise<Comparison['expected'] | RowFailure> {
  const hasOwnPreset = preset !== undefined || config !== undefined;
  const byDefault = check.options.filter(
    ([name]) => !(hasOwnPreset && (name === 'preset' || name === 'preprocessor_config')),
  );
  const configText = config === undefined ? undefined : await configOf(config, base);
  if (typeof configText === 'object') return configText;
  try {
    const texts = {
      ...Object.fromEntries(byDefault),
      ...options,
      ...(preset !== undefined && { preset }),
      ...(configText !== undefined && { preprocessor_config: configText }),
    };
    return expectedRequest(parseOptions(optionTexts(texts)).values);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { reason, message, metadata } = error;
    return { reason, message, metadata, code: failureKinds[reason].code, retryable: false };
  }
}

/** A preprocessor config: its JSON, or the path of its file. */
async function configOf(
  config: string | Readonly<Record<string, unknown>>,
  base: string,
): Promise<string | RowFailure> {
  if (typeof config === 'object') return JSON.stringify(config);
  if (config.trimStart().startsWith('{')) return config;
  const file = await namedFile('preprocessor_config', config, base);
  if ('reason' in file) return file;
  return await readFile(pathOf(file.path), 'utf8').then((json) => json.replace(/^\uFEFF/, ''), inputFailure);
}
