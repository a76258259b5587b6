import { Failure } from '../../failures.ts';
import type { SourceFormat } from '../image/plan.ts';

/**
 * What libvips and libc say when this machine, and not the image, is at fault: a full TMPDIR, no memory. Nothing else in
 * decoding bytes makes a system call.
 */
const machineFault = /system error:|out of memory|no space left|cannot allocate|unable to write to/i;

/**
 * The failure for what a decoder has thrown.
 *
 * @param message - of IMAGE_CORRUPT
 * @returns OVERLOADED where the machine has no room for the image's pixels, else IMAGE_CORRUPT
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
