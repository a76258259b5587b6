import type { Price } from '../admission/admission.ts';
import { channelsOf } from '../codecs/header.ts';
import { areaOf } from '../image/cutout.ts';
import { priceOf } from '../image/price.ts';
import type { GivenFile } from './given/given-file.ts';
import { inflatedBytesOf } from './given/npz.ts';
import type { SkewJob } from './skew-job.ts';

/*
 * Measured by `node bench/skew.ts`: the growth of a fresh worker's peak (VmHWM), and CPU, for a tensor of 224 × 224 that
 * has another cause than the lattice, so that the search takes all its trials. JPEG, in MB and ms on a busy machine of two
 * cores:
 *
 *   source    peak   CPU
 *   0.3 MP     114   2700
 *   24 MP      393   4700
 */

/** Code that runs for the first time, and the trials, in bytes. */
const searchBytes = 100_000_000;

/** Versions of the decoded source that the search keeps, beside that of the expected tensor. */
const keptSources = 4;

/** Milliseconds of CPU that the search takes in addition to decoding, and the number of decodings. */
const searchMs = 2000;
const searchDecodings = 8;

/** The price of a comparison: that of the expected tensor, and those of the search. */
export function priceOfSkew({ content, header, expected, given }: SkewJob): Price {
  const price = priceOf(header, content.length, [expected]);
  const decoded = areaOf(header) * Math.max(3, channelsOf(header));
  return {
    memoryBytes: price.memoryBytes + searchBytes + keptSources * decoded + bytesOfGiven(given),
    workMs: searchDecodings * price.workMs + searchMs,
    waitingBytes: price.waitingBytes + given.content.length,
  };
}

/**
 * Memory for the given tensor: its values as numbers, which for FP16 have twice their bytes, the levels that are read from
 * them, and the differences in FP64.
 */
function bytesOfGiven({ content }: GivenFile): number {
  const isZip = content[0] === 0x50 && content[1] === 0x4b;
  return 8 * (isZip ? content.length + inflatedBytesOf(content.length) : content.length);
}
