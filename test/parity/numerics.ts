import { orient } from '../../src/processor/codecs/orient.ts';
import { libraryLuma } from '../../src/processor/image/kernels/library-luma.ts';
import { type OpenCvTarget, resampleAsOpenCv } from '../../src/processor/image/kernels/opencv.ts';
import { resampleAsTorch, type TorchTarget } from '../../src/processor/image/kernels/torch.ts';
import type { Pixels } from '../../src/processor/image/pixels.ts';
import { numericsVersions } from '../../src/processor/image/provenance.ts';
import { type PythonPeer, startPython } from './python-peer.ts';

/** A library whose numerics are compared with it directly, pixels with pixels. */
export type Library = 'torch' | 'opencv';

/** A random case of numerics.py. */
interface Case {
  readonly source: readonly [width: number, height: number];
  readonly channels: 1 | 3 | 4;
  readonly filter: string;
  readonly size: readonly [width: number, height: number];
  readonly part: readonly [left: number, top: number, right: number, bottom: number];
  readonly grayscale: boolean;
  readonly imageBytes: number;
}

interface Count {
  cases: number;
  bytes: number;
  differing: number;
}

/** Stored pixels that this orientation turns upright. */
const inverseOrientation: readonly number[] = [0, 1, 2, 3, 4, 5, 8, 7, 6];

/**
 * Compares fresh random images and resizes with torch or OpenCV byte for byte, and prints what was compared. The images
 * are stored in all orientations in turn.
 *
 * @param python - an interpreter that has the library
 * @param byteCount - how many bytes of results at least
 * @param seed - the same seed gives the same images
 * @returns whether all were equal
 */
export async function compareLibrary(
  library: Library,
  python: string,
  byteCount: number,
  seed: string,
): Promise<boolean> {
  const peer = startPython(python, new URL('numerics.py', import.meta.url));
  const { reply } = await peer.request<{ versions: Record<string, string> }>({ library });
  const versions = Object.entries(reply.versions).map((entry) => entry.join(' '));
  console.log(`parity: ours ${numericsVersions[library]}, ${versions.join(', ')}; seed ${seed}`);
  const counts = new Map<string, Count>();
  let first: string | undefined;
  for (let index = 0, bytes = 0; bytes < byteCount; index++) {
    const { test, length, differing } = await compareCase(peer, library, seed, index);
    bytes += length;
    const kind = `${test.filter}${test.grayscale ? ', gray' : ''}`;
    const count = counts.get(kind) ?? { cases: 0, bytes: 0, differing: 0 };
    counts.set(kind, {
      cases: count.cases + 1,
      bytes: count.bytes + length,
      differing: count.differing + differing,
    });
    if (differing > 0) first ??= `case ${index}: ${differing} bytes differ\n${JSON.stringify(test)}`;
  }
  peer.end();
  for (const [kind, { cases, bytes, differing }] of [...counts].sort()) {
    console.log(`${kind}: ${cases} images, ${bytes} bytes, ${differing} differ`);
  }
  console.log(
    first === undefined ? `all are those of ${library}, byte for byte` : `the first that differs, ${first}`,
  );
  return first === undefined;
}

async function compareCase(peer: PythonPeer, library: Library, seed: string, index: number) {
  const { reply: test, bytes } = await peer.request<Case>({ library, seed, index });
  const [width, height] = test.source;
  const upright: Pixels = {
    data: bytes.subarray(0, test.imageBytes),
    width,
    height,
    channels: test.channels,
  };
  const theirs = bytes.subarray(test.imageBytes);
  const orientation = 1 + (index % 8);
  const stored = orient(upright, inverseOrientation[orientation] as number);
  const ours = computed(library, stored, orientation, test).data;
  const differing =
    ours.length === theirs.length
      ? ours.reduce((count, value, at) => count + Number(value !== theirs[at]), 0)
      : theirs.length;
  return { test, length: theirs.length, differing };
}

function computed(library: Library, stored: Pixels, orientation: number, test: Case): Pixels {
  const [left, top, right, bottom] = test.part;
  const [width, height] = test.size;
  const target = { width, height, filter: test.filter, part: { left, top, right, bottom } };
  const resized =
    library === 'torch'
      ? resampleAsTorch(stored, orientation, target as TorchTarget)
      : resampleAsOpenCv(stored, orientation, target as OpenCvTarget);
  return test.grayscale ? libraryLuma(resized, library) : resized;
}
