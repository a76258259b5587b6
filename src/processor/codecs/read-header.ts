import type { SourcePlan } from '../image/plan.ts';
import { checkSize } from './check-size.ts';
import { codecOf, decoderOf, sourceFormats } from './codecs.ts';
import { detectFormat } from './format.ts';
import type { ImageHeader } from './header.ts';

/**
 * Reads and checks an image's header. Only worker processes may call this: it may load a decoder.
 *
 * @param content - the file, or its `headerPart`
 * @param maxPixels - limit of width × height: a PNG of a few kilobytes can claim gigabytes
 * @param source - which part of the file is read; unset: its first page or frame
 * @throws FORMAT_UNSUPPORTED, IMAGE_CORRUPT, SOURCE_PIXELS_OVER_LIMIT
 */
export async function readHeader(
  content: Uint8Array,
  maxPixels: number,
  source?: SourcePlan,
): Promise<ImageHeader> {
  const format = detectFormat(content, sourceFormats);
  const decoder = await decoderOf(format);
  const header = await (decoder.readHeader?.(content, source) ??
    codecOf(format).readHeader?.(content, source));
  if (header === undefined) throw new Error(`${format} has no reader of headers`);
  checkSize(header, maxPixels);
  return { ...header, source };
}

/**
 * The beginning of a file that is enough for `readHeader`, so that the rest is not sent to a worker. It is the whole
 * file if the header may be anywhere.
 *
 * @throws FORMAT_UNSUPPORTED
 */
export function headerPart(content: Uint8Array): Uint8Array {
  const { headerBytes } = codecOf(detectFormat(content, sourceFormats));
  if (headerBytes === undefined) return content;
  return content.subarray(0, headerBytes(Buffer.from(content.buffer, content.byteOffset, content.length)));
}
