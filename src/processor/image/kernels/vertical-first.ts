import { quadStrideOf, roundUp, stripOf, type TwoPassJob } from './strip.ts';
import { useKernels } from './wasm.ts';

/**
 * Computes some columns of the result, vertical pass first: source rows go to a ring of quads. Each row of the vertical
 * pass is computed as soon as the ring contains the last quad that the row needs. Once there are enough such rows they
 * go through the horizontal pass together.
 */
export function resampleVerticalFirst(job: TwoPassJob, left: number, columns: number): void {
  const { vertical, result } = job;
  useKernels((arena) => {
    const strip = stripOf(job, left, columns, arena);
    const { quadsAtOnce, sourceBytes, overhangBytes, resultBytes, resultQuadStride } = strip;
    const { kernels } = arena;

    const block = arena.take(sourceBytes * 4);
    const stride = quadStrideOf(sourceBytes);
    const ring = arena.take(vertical.span * stride);
    const ringEnd = ring + vertical.span * stride;
    const rowsAtOnce = quadsAtOnce * 4;
    const narrowStride = roundUp(sourceBytes, 16);
    const narrowRows = arena.take(rowsAtOnce * narrowStride + overhangBytes);
    const resultQuads = arena.take(quadsAtOnce * resultQuadStride);
    const resultStride = roundUp(resultBytes, 16);
    const resultRows = arena.take(4 * resultStride);

    let madeQuads = 0;
    for (let top = 0; top < result.height; top += rowsAtOnce) {
      const bottom = Math.min(top + rowsAtOnce, result.height);
      for (let y = top; y < bottom; y++) {
        const quad = vertical.firstQuads[y] as number;
        const endQuad = quad + (vertical.offsets[y + 1] as number) - (vertical.offsets[y] as number);
        for (; madeQuads < endQuad; madeQuads++) {
          const sourceTop = vertical.firstRow + madeQuads * 4;
          strip.copyRows(sourceTop, Math.min(sourceTop + 4, vertical.endRow), block);
          kernels.quadOfRows(block, sourceBytes, ring + (madeQuads % vertical.span) * stride, sourceBytes);
        }
        const first = ring + (quad % vertical.span) * stride;
        const to = narrowRows + (y - top) * narrowStride;
        strip.makeRow(y, first, ring, ringEnd, stride, to, sourceBytes);
      }
      strip.makeQuads(narrowRows, narrowStride, resultQuads);
      for (let y = top; y < bottom; y++) {
        const quad = (y - top) >> 2;
        if ((y - top) % 4 === 0) {
          kernels.rowsOfQuad(resultQuads + quad * resultQuadStride, resultRows, resultStride, resultBytes);
        }
        strip.finishRow(resultRows + ((y - top) % 4) * resultStride, y);
      }
    }
  });
}
