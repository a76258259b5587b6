import { runSkewJob } from '../../src/processor/skew/skew-job.ts';
import { unpackFailure } from '../../src/processor/workers/failure.ts';
import { skewJob, tensorPlan } from '../support/skew.ts';
import { npyOf } from './npy.ts';

/*
 * A comparison of one pair: on the processor's own path without its server, or by a running service.
 */

/** A tensor as a pipeline made it. */
export interface MadeTensor {
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface Pair {
  readonly image: Uint8Array<ArrayBuffer>;
  readonly tensor: MadeTensor;
  /** The preset that it is meant to have. */
  readonly meant: Meant;
}

/** A preset by its name, or by its configuration. */
export type Meant = { readonly preset: string } | { readonly preprocessorConfig: string };

/** The report of a pair. */
export interface Report {
  readonly equal: boolean;
  readonly cause?:
    | {
        readonly exact: boolean;
        readonly sentence: string;
        readonly steps: readonly {
          readonly name: string;
          readonly yours: string;
          readonly expected: string;
          readonly also?: readonly string[];
        }[];
      }
    | undefined;
  /** The reason and the message of a refusal. */
  readonly failure?: string;
  /** Of CPU, on all cores; of a running service: until its response. */
  readonly seconds: number;
}

export type Compare = (pair: Pair) => Promise<Report>;

/** Compares in this process, by the entry point of a worker. */
export async function compareHere({ image, tensor, meant }: Pair): Promise<Report> {
  const { datatype, shape, bytes } = tensor;
  const job = await skewJob(image, tensorPlan(meant), { datatype, shape, content: bytes });
  const start = process.cpuUsage();
  const outcome = await runSkewJob(job);
  const { user, system } = process.cpuUsage(start);
  const seconds = (user + system) / 1e6;
  if ('report' in outcome) return { ...outcome.report, seconds };
  const { reason, message } = unpackFailure(outcome.failure);
  return { equal: false, failure: `${reason}: ${message}`, seconds };
}

/** Compares by a running service. @param url - of image-api */
export function compareBy(url: string): Compare {
  return async ({ image, tensor, meant }) => {
    const form = new FormData();
    form.set('image', new Blob([image]));
    if (tensor.datatype === 'BF16') {
      form.set('tensor', new Blob([Uint8Array.from(tensor.bytes)]));
      form.set('shape', tensor.shape.join(','));
      form.set('datatype', 'BF16');
    } else {
      form.set('tensor', new Blob([npyOf(tensor)]));
    }
    if ('preset' in meant) form.set('preset', meant.preset);
    else form.set('preprocessor_config', meant.preprocessorConfig);
    const start = performance.now();
    const response = await fetch(new URL('/v1/skew', url), { method: 'POST', body: form });
    const seconds = (performance.now() - start) / 1000;
    const body = (await response.json()) as Omit<Report, 'seconds'> & { reason?: string; detail?: string };
    if (response.ok) return { ...body, seconds };
    return { equal: false, failure: `${body.reason}: ${body.detail}`, seconds };
  };
}
