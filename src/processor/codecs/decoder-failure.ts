import { Failure } from '../../failures.ts';
import type { ImageHeader } from './header.ts';
import type { SourceFormat } from './source-format.ts';

/**
 * Errors of libvips and libc that are caused by this machine, not by the image: TMPDIR is full, or memory has run out.
 * Nothing else in decoding makes a system call.
 */
const machineFault = /system error:|out of memory|no space left|cannot allocate|unable to write to/i;

/**
 * The failure for an error that a decoder threw.
 *
 * @param message - for IMAGE_CORRUPT
 * @returns OVERLOADED if the machine has no room for the image's pixels, else IMAGE_CORRUPT
 */
export function decoderFailure(cause: unknown, format: SourceFormat, message: string): Failure {
  if (machineFault.test(String(cause))) {
    return new Failure(
      'OVERLOADED',
      'The processor has no memory or no space in TMPDIR left for the pixels of this image. Try again in a moment.',
      { format },
      { cause },
    );
  }
  return new Failure('IMAGE_CORRUPT', message, { format }, { cause });
}

/** As `decoderFailure`, for an image whose header has been read. */
export function decodingFailure(
  { format, width, height }: Pick<ImageHeader, 'format' | 'width' | 'height'>,
  cause: unknown,
): Failure {
  return decoderFailure(
    cause,
    format,
    `The ${format.toUpperCase()} (${width} × ${height}) cannot be decoded: it is cut off or damaged.`,
  );
}

/** The failure of a file whose parts exceed a limit of their number. */
export function tooManyParts(format: SourceFormat, parts: string, limit: number, actual: number): Failure {
  return new Failure(
    'SOURCE_PASSES_OVER_LIMIT',
    `This ${format.toUpperCase()} has more than ${limit} ${parts}. Save it again as a plain file.`,
    { limit, actual, parts, count: actual },
  );
}
