import type { Price } from '../admission/admission.ts';
import { channelsOf } from '../codecs/header.ts';
import { areaOf } from '../image/cutout.ts';
import { priceOf } from '../image/price.ts';
import type { SkewJob } from './skew-job.ts';

/** Versions of the decoded source that the search keeps, beside that of the expected tensor. */
const keptSources = 4;

/** Milliseconds of CPU that the search takes in addition to decoding, and the number of decodings. */
const searchMs = 500;
const searchDecodings = 4;

/** The price of a comparison: that of the expected tensor, and those of the search. */
export function priceOfSkew({ content, header, expected, given }: SkewJob): Price {
  const price = priceOf(header, content.length, [expected]);
  const decoded = areaOf(header) * Math.max(3, channelsOf(header));
  return {
    memoryBytes: price.memoryBytes + keptSources * decoded + 8 * given.content.length,
    workMs: searchDecodings * price.workMs + searchMs,
    waitingBytes: price.waitingBytes + given.content.length,
  };
}
