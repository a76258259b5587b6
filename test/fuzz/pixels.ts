import { isDeepStrictEqual } from 'node:util';
import { toJsonString } from '@bufbuild/protobuf';
import { ProcessRequestSchema } from '../../gen/image/v1/processor_pb.ts';
import { sourceFormats } from '../../src/processor/codecs/codecs.ts';
import type { ImageHeader } from '../../src/processor/codecs/header.ts';
import { withinLimits } from '../../src/processor/image/limits.ts';
import type { Plan } from '../../src/processor/image/plan.ts';
import type { PixelResult } from '../../src/processor/image/process-pixels.ts';
import { createPresets } from '../../src/processor/presets/presets.ts';
import { planOf } from '../../src/processor/rules/rules.ts';
import { startWorkerPool } from '../../src/processor/workers/pool.ts';
import { startProcesses } from '../../src/processor/workers/processes.ts';
import { runOnePlan } from '../support/one-plan.ts';
import { plannedImage } from '../support/plans.ts';
import { imageCorpus } from './corpus.ts';
import { type Case, type Door, type Outcome, outcomeOf } from './door.ts';
import { mutated } from './mutate.ts';
import { mostlySensible } from './plans.ts';

/** Enough for every picture of the corpus; with more the time goes into large empty pictures. */
const maxSourcePixels = 2_000_000;
const maxOutputPixels = 1_000_000;
/** Of a job: two megapixels take 100 ms. */
const hangMs = 10_000;
const limits = {
  jobTimeoutMs: hangMs,
  abortGraceMs: 1000,
  maxRssBytes: 1_000_000_000,
  maxIdleRssBytes: 250_000_000,
  restAfterMs: 5000,
  sourceFormats,
};

/** Allowed reasons of a picture or a plan. A crash, too much memory and too much time are not among them. */
const reasons = new Set([
  ...[
    'FORMAT_UNSUPPORTED',
    'IMAGE_CORRUPT',
    'SOURCE_PASSES_OVER_LIMIT',
    'SOURCE_PIXELS_OVER_LIMIT',
    'OUTPUT_PIXELS_OVER_LIMIT',
  ],
  ...['DOCUMENT_EMPTY', 'DOCUMENT_PASSWORD_REQUIRED'],
  ...['OPTION_INVALID', 'PRESET_INVALID', 'PRESET_UNSUPPORTED'],
]);

/** The decoders: header, then the pixels by a plan at random, in the real worker processes. */
export async function openPixelDoor(): Promise<Door> {
  const corpus = await imageCorpus();
  const presets = createPresets({});
  const said: string[] = [];
  const events = {
    onLine(line: string) {
      said.push(line);
      if (said.length > 10) said.shift();
    },
    onReplaced: (why: string) => void said.push(why),
  };
  const pool = await startWorkerPool(2, { ...limits, ...events, maxHeadersWaiting: 100 });
  const wholeFiles = startProcesses('headers', 1, limits, events);
  await wholeFiles.ready;

  async function process(content: Uint8Array, plan: Plan): Promise<string | undefined> {
    const [header, whole] = await Promise.allSettled([
      pool.readHeader(content, maxSourcePixels),
      wholeFiles.run({ content, maxPixels: maxSourcePixels }),
    ]);
    if (whole.status === 'rejected') throw whole.reason;
    if (header.status === 'rejected') throw header.reason;
    const difference = differenceOf(header.value, whole.value);
    if (difference !== undefined) return difference;
    const result = await runOnePlan(pool, {
      content,
      header: header.value,
      images: [withinLimits(plannedImage(header.value, plan), maxOutputPixels)],
    });
    return await wrongWith(result, plan);
  }

  /** The promise about every response. */
  async function wrongWith(result: PixelResult, plan: Plan): Promise<string | undefined> {
    const {
      content,
      width,
      height,
      tensors: [tensor],
    } = result;
    if (width * height > maxOutputPixels) return `an output of ${width} × ${height} pixels`;
    if (plan.output.kind === 'tensor') {
      const values = (tensor?.shape ?? []).reduce((product, length) => product * length, 1);
      const bytes = values * { UINT8: 1, FP16: 2, BF16: 2, FP32: 4 }[plan.output.datatype];
      const isWhole = plan.output.container === 'raw' ? content.length === bytes : content.length > bytes;
      return isWhole ? undefined : `${content.length} bytes of a tensor of ${bytes}`;
    }
    const written = await pool.readHeader(content, maxOutputPixels);
    return written.width === width && written.height === height
      ? undefined
      : `${written.width} × ${written.height} pixels that should be ${width} × ${height}`;
  }

  return {
    name: 'pixels',
    share: 60,
    make(random): Case {
      const { content, done } = mutated(random, corpus);
      const request = mostlySensible(random, (one) => planOf(one, maxOutputPixels, presets));
      return {
        input: {
          image: content,
          'request.json': toJsonString(ProcessRequestSchema, request),
          'done.txt': done.join(' '),
        },
        async run(): Promise<Outcome> {
          let wrong: string | undefined;
          const outcome = await outcomeOf(
            reasons,
            async () => {
              wrong = await process(content, planOf(request, maxOutputPixels, presets));
            },
            // Three others may be before it.
            4 * hangMs,
          );
          if (wrong !== undefined) return { ...outcome, finding: wrong };
          return outcome.finding === undefined
            ? outcome
            : { ...outcome, finding: `${outcome.finding}\n${said.splice(0).join('\n')}` };
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([pool.close(), wholeFiles.close()]);
    },
  };
}

/** Only the beginning of a file travels to where its header is read; it has to say what the whole file says. */
function differenceOf(
  part: ImageHeader,
  whole: { header: ImageHeader } | { failure: unknown },
): string | undefined {
  if ('failure' in whole) return undefined;
  // The serving process adds it, from the whole file.
  const { structureMs: _, ...read } = part;
  return isDeepStrictEqual(read, whole.header)
    ? undefined
    : `the header of a part is ${JSON.stringify(part)}, of the whole ${JSON.stringify(whole.header)}`;
}
