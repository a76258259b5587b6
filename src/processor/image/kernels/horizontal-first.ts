import { roundUp, stripOf, type TwoPassJob } from './strip.ts';
import { useKernels } from './wasm.ts';

/**
 * Computes some columns of the result, horizontal pass first: the pass reads source rows and writes quads to a ring.
 * Each row of the result is computed as soon as the ring contains the last quad that the row needs.
 */
export function resampleHorizontalFirst(job: TwoPassJob, left: number, columns: number): void {
  const { vertical, result } = job;
  useKernels((arena) => {
    const strip = stripOf(job, left, columns, arena);
    const { quadsAtOnce, sourceBytes, overhangBytes, resultBytes, resultQuadStride: stride } = strip;
    const block = arena.take(sourceBytes * quadsAtOnce * 4 + overhangBytes);
    const quadsInRing = roundUp(vertical.span + quadsAtOnce - 1, quadsAtOnce);
    const ring = arena.take(quadsInRing * stride);
    const ringEnd = ring + quadsInRing * stride;
    const row = arena.take(resultBytes);

    let madeQuads = 0;
    for (let y = 0; y < result.height; y++) {
      const quad = vertical.firstQuads[y] as number;
      const endQuad = quad + (vertical.offsets[y + 1] as number) - (vertical.offsets[y] as number);
      for (; madeQuads < endQuad; madeQuads += quadsAtOnce) {
        const top = vertical.firstRow + madeQuads * 4;
        strip.copyRows(top, Math.min(top + quadsAtOnce * 4, vertical.endRow), block);
        strip.makeQuads(block, sourceBytes, ring + (madeQuads % quadsInRing) * stride);
      }
      const first = ring + (quad % quadsInRing) * stride;
      strip.makeRow(y, first, ring, ringEnd, stride, row, resultBytes);
      strip.finishRow(row, y);
    }
  });
}
