import packageJson from '../../../package.json' with { type: 'json' };
import { jpegCodecOf } from '../../jpeg-codec.ts';
import { standardDefaults } from '../../options/image-options.ts';
import { flagsOf, tableOf } from '../commands.ts';
import { readApi, readApiKey, readProcessor } from '../connection-flags.ts';
import { parseFlags, readSeconds, textOf, usage } from '../flags.ts';
import { askApi } from './ask-api.ts';
import { askProcessor } from './ask-processor.ts';
import { type Check, type Findings, ok, warning, wrong } from './check.ts';

/** The command line of `doctor`. */
export interface DoctorArguments {
  readonly api: URL;
  readonly apiKey: string | undefined;
  readonly processor: URL;
  /** Whether the caller named the processor. Without a name, only its absence is reported: no other command needs it. */
  readonly isProcessorNamed: boolean;
  readonly timeoutMs: number;
  readonly json: boolean;
}

/**
 * Reads the command line of `doctor`.
 *
 * @throws ClientError of bad usage
 */
export function readDoctorArguments(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): DoctorArguments {
  const { values, positionals } = parseFlags(argv, flagsOf(tableOf('doctor')));
  if (positionals.length > 0)
    throw usage(`doctor takes only flags, got "${positionals[0]}"; see doctor --help.`);
  return {
    api: readApi(textOf(values, 'api'), environment.IMAGE_API_URL),
    apiKey: readApiKey(values, environment.IMAGE_API_KEY),
    processor: readProcessor(textOf(values, 'processor'), environment.IMAGE_PROCESSOR_URL),
    isProcessorNamed: Boolean(values.processor ?? environment.IMAGE_PROCESSOR_URL),
    timeoutMs: readSeconds(values, 'timeout', 5),
    json: values.json === true,
  };
}

/**
 * Asks both services and prints what was found.
 *
 * @returns `somethingWrong` if something has to be done; what may surprise is no reason
 */
export async function runDoctor(
  { api, apiKey, processor, isProcessorNamed, timeoutMs, json }: DoctorArguments,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<'done' | 'somethingWrong'> {
  const [ofApi, ofProcessor] = await Promise.all([
    askApi(api, apiKey, timeoutMs, signal),
    askProcessor(processor, timeoutMs, signal),
  ]);
  const checks = [
    runtime(),
    ...ofApi.checks,
    ...(isProcessorNamed ? ofProcessor.checks : ofProcessor.checks.map(asNote)),
    ...jpegDecoder(ofProcessor),
    ...compare(ofApi, ofProcessor),
  ];
  const isWell = checks.every(({ state }) => state !== 'wrong');
  const versions = {
    client: packageJson.version,
    node: process.versions.node,
    ...ofApi.versions,
    ...ofProcessor.versions,
  };
  const limits = { ...ofApi.limits, ...ofProcessor.limits };
  const report = { ok: isWell, checks, versions, limits, defaults: ofApi.defaults ?? null };
  for (const line of json ? [JSON.stringify(report)] : linesOf(report)) print(line);
  return isWell ? 'done' : 'somethingWrong';
}

function runtime(): Check {
  const { node } = process.versions;
  const oldest = packageJson.engines.node.replace('>=', '');
  if (Number.parseInt(node, 10) >= Number(oldest)) return ok('Node', node);
  return wrong(
    'Node',
    `${node} is older than ${oldest}`,
    'Install Node 26. In a checkout, npm ci brings it.',
  );
}

/** A check of a service that nobody asked for. */
function asNote(check: Check): Check {
  return check.state === 'wrong' ? { ...check, state: 'warning' } : check;
}

/** Which library decodes JPEGs. All give the same bytes. */
function jpegDecoder({ versions }: Findings): Check[] {
  const name = 'JPEG decoder';
  if (versions.turbojpeg !== undefined) return [ok(name, jpegCodecOf(versions))];
  if (versions.sharp === undefined) return [];
  return [
    warning(
      name,
      `sharp ${versions.sharp}, without libjpeg-turbo`,
      "No libjpeg-turbo is bundled for this platform, or TURBOJPEG_LIBRARY is none. The system's (Debian: libturbojpeg0) halves the CPU time of JPEGs.",
    ),
  ];
}

/** Differences between the two services. */
function compare(api: Findings, processor: Findings): Check[] {
  const checks: Check[] = [];
  const [there, here] = [api.versions.numerics, processor.versions.numerics];
  if (there !== undefined && here !== undefined) {
    checks.push(
      there === here
        ? ok('numerics', `${here} on both ways`)
        : wrong(
            'numerics',
            `image-api's processor has ${there}, this one has ${here}`,
            'The same image can have other bytes over HTTP than over gRPC: roll out one version to all processors.',
          ),
    );
  }
  const [upload, source] = [api.limits.MAX_UPLOAD_BYTES, processor.limits.MAX_SOURCE_BYTES];
  if (upload !== undefined && source !== undefined && upload > source) {
    checks.push(
      wrong(
        'limits',
        `image-api accepts ${upload} bytes, the processor ${source}`,
        "Set image-api's MAX_UPLOAD_BYTES to at most the processor's MAX_SOURCE_BYTES.",
      ),
    );
  }
  const differing = Object.entries(standardDefaults).filter(
    ([name, value]) => api.defaults?.[name] !== undefined && api.defaults[name] !== value,
  );
  if (differing.length > 0) {
    const words = differing.map(
      ([name, value]) => `${name} is ${api.defaults?.[name]} at image-api and ${value} in a job`,
    );
    checks.push(
      warning(
        'defaults',
        words.join(', '),
        'Give these options to a job if its outputs should equal those of image-api.',
      ),
    );
  }
  return checks;
}

const signs = { ok: 'ok     ', warning: 'note   ', wrong: 'WRONG  ' } as const;

function linesOf(report: {
  checks: readonly Check[];
  versions: Readonly<Record<string, string>>;
  limits: Readonly<Record<string, number>>;
  defaults: Readonly<Record<string, unknown>> | null;
}): string[] {
  const pairs = (values: Readonly<Record<string, unknown>>) =>
    Object.entries(values)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ') || 'unknown';
  const width = Math.max(...report.checks.map(({ name }) => name.length));
  return [
    ...report.checks.flatMap(({ name, state, detail, next }) => [
      `${signs[state]}${name.padEnd(width)}  ${printable(detail)}`,
      ...(next === undefined ? [] : [`       ${''.padEnd(width)}  → ${next}`]),
    ]),
    `versions: ${printable(pairs(report.versions))}`,
    `limits:   ${pairs(report.limits)}`,
    `defaults: ${printable(pairs(report.defaults ?? {}))}`,
  ];
}

/** Text from the network, without what would act on a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
}
