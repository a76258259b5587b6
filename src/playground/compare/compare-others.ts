import type { ProcessResponse } from '../../../gen/image/v1/processor_pb.ts';
import { blobOf, type ImageSource } from '../source/source.ts';
import type { State } from '../state/state.ts';
import { decodeBitmap } from '../view/bitmap.ts';
import { type Comparison, compare, geometryOfResponse, rivalsFor } from './comparison.ts';

/** Larger sources are compared only with the chosen rival, because each comparison sends the source again. */
const maxPixels = 4_000_000;

/**
 * Compares with the rivals that are not chosen, one after another. A comparison that fails is left out: nobody has asked
 * for it.
 *
 * @param response - with the exact pixels
 */
export async function* compareOthers(
  { settings, rival: chosen }: State,
  response: ProcessResponse,
  source: ImageSource,
  signal: AbortSignal,
): AsyncGenerator<Comparison> {
  const { width = 0, height = 0 } = response.source ?? {};
  if (width * height > maxPixels) return;
  const geometry = geometryOfResponse(settings, response);
  const exact = await decodeBitmap(blobOf(response));
  for (const rival of rivalsFor(geometry).filter((each) => each !== chosen)) {
    const compared = await compare(rival, settings, exact, geometry, source, signal).catch(() => undefined);
    if (signal.aborted) return;
    if (compared !== undefined) yield compared.comparison;
  }
}
