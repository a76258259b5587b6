import type { ResampledFile } from '../../src/processor/skew/lattice/hypothesis.ts';
import { resamplers } from '../../src/processor/skew/lattice/resamplers.ts';
import { startPython } from './python-peer.ts';

/** A random case of resamplers.py. */
interface Case {
  readonly source: readonly [width: number, height: number];
  readonly size: readonly [width: number, height: number];
  readonly dtype: 'uint8' | 'float32' | 'float64';
  readonly imageBytes: number;
}

const arrays = { uint8: Uint8Array, float32: Float32Array, float64: Float64Array } as const;

/**
 * Compares the resamplers of the skew report with their libraries, value for value, and prints what was compared.
 *
 * @param python - an interpreter that has libraries of resamplers.py
 * @param byteCount - how many bytes of results of each row at least
 * @param seed - the same seed gives the same images
 * @param names - part of the names of the rows that are compared
 * @returns whether all were equal
 */
export async function compareResamplers(
  python: string,
  byteCount: number,
  seed: string,
  names = '',
): Promise<boolean> {
  const peer = startPython(python, new URL('resamplers.py', import.meta.url));
  const { reply } = await peer.request<{ versions: readonly string[]; rows: readonly string[] }>({});
  console.log(`parity: ${reply.versions.join('; ')}; seed ${seed}`);
  let isEqual = true;
  for (const row of reply.rows.filter((name) => name.includes(names))) {
    const resampler = resamplers.find(({ id }) => id === row);
    let [cases, skipped, bytes, differing, first] = [0, 0, 0, 0, ''];
    for (let index = 0; bytes < byteCount && resampler !== undefined && index < 3000; index++) {
      const { reply: test, bytes: content } = await peer.request<Case>({ row, seed, index });
      const [width, height] = test.source;
      const data = content.subarray(0, test.imageBytes);
      const theirs = new arrays[test.dtype](Uint8Array.from(content.subarray(test.imageBytes)).buffer);
      const [toWidth, toHeight] = test.size;
      const ours = await resampler.run(
        { data, width, height, channels: 3 },
        { box: [0, 0, width, height], resized: { width: toWidth, height: toHeight } },
        { left: 0, top: 0, right: toWidth, bottom: toHeight },
        undefined as unknown as ResampledFile,
      );
      if (ours === undefined) {
        skipped++;
        continue;
      }
      const different = differingIn(ours.data, theirs);
      if (different > 0 && first === '')
        first = `; the first: ${index} ${JSON.stringify(test)}: ${different}`;
      cases++;
      bytes += theirs.byteLength;
      differing += different + Math.abs(ours.data.length - theirs.length);
    }
    if (resampler === undefined) console.log(`${row}: no such row`);
    else
      console.log(
        `${row}: ${cases} images (${skipped} do not apply), ${bytes} bytes, ${differing} differ${first}`,
      );
    isEqual &&= differing === 0;
  }
  peer.end();
  return isEqual;
}

function differingIn(ours: ArrayLike<number>, theirs: ArrayLike<number>): number {
  let count = 0;
  for (let at = 0; at < ours.length; at++) count += Number(ours[at] !== theirs[at]);
  return count;
}
