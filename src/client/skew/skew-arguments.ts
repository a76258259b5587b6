import { Failure } from '../../failures.ts';
import type { OptionTexts, ParsedOptions } from '../../options/parse-options.ts';
import { parseShape, shapeInWords } from '../../options/tensor-shape.ts';
import { parseTolerance, type Tolerance, toleranceInWords } from '../../options/tolerance.ts';
import { ClientError } from '../client-error.ts';
import { flagsOf, tableOf } from '../commands.ts';
import { type CalledService, readService } from '../connection-flags.ts';
import { parseFlags, readImageOptions, readSeconds, textOf, usage, type Values } from '../flags.ts';
import { readQueueLimits } from '../job/job-arguments.ts';
import { isUrl } from '../job/lists/lists.ts';
import { inFlags } from '../job/sending/process-request.ts';
import type { QueueLimits } from '../job/sending/queue-entry.ts';
import { hasImageEnding } from '../job/sources/recognise.ts';
import { checksAtOnce } from '../tables/skew.ts';
import { type Comparison, expectedRequest, type GivenForm } from './comparison.ts';

/** An image of the command line with the file to compare. */
export interface NamedPair {
  /** A path, `-`, or a URL. */
  readonly image: string;
  /** A path, or `-`. */
  readonly tensor: string;
  readonly comparison: Comparison;
}

/** The raw values of tensors, as the flags describe them. */
export type RawForm = Pick<Extract<GivenForm, { case: 'tensor' }>, 'shape' | 'datatype' | 'name'>;

interface SkewBasics {
  readonly tolerance: Tolerance | undefined;
  readonly service: CalledService;
  readonly timeoutMs: number;
  readonly quiet: boolean;
  readonly json: boolean;
}

/** The command line of a comparison of some pairs. */
export interface PairsArguments extends SkewBasics {
  readonly pairs: readonly NamedPair[];
  /** The path of the map. */
  readonly map: string | undefined;
  /** Whether what would have been right is printed. */
  readonly python: boolean;
}

/** The command line of a check. */
export interface CheckArguments extends SkewBasics {
  /** The path of the list, or `-`. */
  readonly list: string;
  readonly base: string | undefined;
  /** The options of lines that have none of their own. */
  readonly options: OptionTexts;
  readonly raw: RawForm;
  readonly report: { readonly path: string; readonly form: 'junit' | 'json' } | undefined;
  readonly limits: QueueLimits;
  readonly verbose: boolean;
}

/**
 * Reads the words after `skew`.
 *
 * @throws ClientError of bad usage
 */
export function readSkewArguments(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): PairsArguments | CheckArguments {
  const { values, positionals } = parseFlags(argv, flagsOf(tableOf('skew')));
  const raw = readRawForm(values);
  const basics = {
    tolerance: readTolerance(textOf(values, 'tolerance')),
    service: readService(values, environment),
    timeoutMs: readSeconds(values, 'timeout', 60),
    quiet: values.quiet === true,
    json: values.json === true,
  };
  // Beside a shape, the datatype is that of the raw values.
  const options = readImageOptions(raw.shape.length > 0 ? { ...values, datatype: undefined } : values);
  const list = textOf(values, 'check');
  return list === undefined
    ? { ...basics, ...readPairs(values, positionals, raw, options, basics.tolerance) }
    : { ...basics, ...readCheck(values, positionals), list, options: [...options.texts], raw };
}

function readPairs(
  values: Values,
  positionals: readonly string[],
  raw: RawForm,
  { values: options }: ParsedOptions,
  tolerance: Tolerance | undefined,
): Omit<PairsArguments, keyof SkewBasics> {
  if (positionals.length === 0 || positionals.length % 2 === 1) {
    const given = positionals.length === 0 ? 'nothing' : positionals.map((each) => `"${each}"`).join(' ');
    throw usage(`IMAGE and TENSOR are needed for each pair, got ${given.slice(0, 300)}; see skew --help.`);
  }
  if (positionals.filter((path) => path === '-').length > 1) throw usage('"-" can be one file only.');
  refuseWithout(values, '--check', 'report', 'base', 'verbose');
  const map = textOf(values, 'map');
  if (map !== undefined && positionals.length > 2) throw usage('--map is of one pair.');
  const expected = inUsage(() => expectedRequest(options));
  const pairs = Array.from({ length: positionals.length / 2 }, (_, index) => {
    const [image = '', tensor = ''] = positionals.slice(2 * index);
    if (isUrl(tensor)) throw usage(`TENSOR is "${tensor}"; allowed: the path of a file.`);
    const given = readGivenForm(values, tensor, raw);
    return { image, tensor, comparison: { expected, given, tolerance } };
  });
  return { pairs, map, python: values.python === true };
}

function readCheck(
  values: Values,
  positionals: readonly string[],
): Pick<CheckArguments, 'base' | 'report' | 'limits' | 'verbose'> {
  if (positionals.length > 0)
    throw usage(`--check takes the pairs of its list, got also "${positionals[0]}".`);
  const [refused] = ['map', 'python', 'picture'].filter((flag) => values[flag] !== undefined);
  if (refused !== undefined) throw usage(`--${refused} goes with IMAGE and TENSOR, not with --check.`);
  if (values.quiet === true && values.verbose === true) {
    throw usage('--quiet and --verbose exclude each other.');
  }
  return {
    base: textOf(values, 'base'),
    report: readReport(textOf(values, 'report')),
    limits: readQueueLimits(values, checksAtOnce),
    verbose: values.verbose === true,
  };
}

function refuseWithout(values: Values, needed: string, ...flags: readonly string[]): void {
  const refused = flags.find((flag) => values[flag] !== undefined);
  if (refused !== undefined) throw usage(`--${refused} goes with ${needed} only.`);
}

function readReport(path: string | undefined): CheckArguments['report'] {
  if (path === undefined) return undefined;
  if (/\.xml$/i.test(path)) return { path, form: 'junit' };
  if (/\.json$/i.test(path)) return { path, form: 'json' };
  throw usage(`--report is "${path}"; allowed: a path that ends with .xml (JUnit) or .json.`);
}

function readTolerance(text: string | undefined): Tolerance | undefined {
  if (text === undefined) return undefined;
  const tolerance = parseTolerance(text);
  if (tolerance === undefined) throw usage(`--tolerance is "${text}"; allowed: ${toleranceInWords}.`);
  return tolerance;
}

function readRawForm(values: Values): RawForm {
  const text = textOf(values, 'shape');
  const shape = text === undefined ? [] : parseShape(text);
  if (shape === undefined) throw usage(`--shape is "${text}"; allowed: ${shapeInWords}.`);
  const datatype = textOf(values, 'datatype')?.toUpperCase();
  if (shape.length > 0 && datatype === undefined) {
    throw usage('--shape is of raw values, which need --datatype too, such as fp32.');
  }
  const name = textOf(values, 'tensor-name') ?? '';
  return { shape, datatype: shape.length > 0 ? (datatype ?? '') : '', name };
}

function readGivenForm(values: Values, path: string, raw: RawForm): GivenForm {
  const isPicture = values.picture === true || (hasImageEnding(path) && raw.shape.length === 0);
  if (!isPicture) return { case: 'tensor', ...raw };
  if (raw.shape.length > 0) throw usage('--shape is of raw values, and --picture of an image.');
  if (raw.name !== '') throw usage(`--tensor-name goes with a file of tensors; "${path}" is an image.`);
  return { case: 'picture' };
}

/** Runs `read`; its failure becomes an error of bad usage with the names of flags. */
function inUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new ClientError('usage', error.reason, inFlags(error.message), { cause: error });
  }
}
