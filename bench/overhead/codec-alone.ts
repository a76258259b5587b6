import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { decodeWhole } from '../../src/processor/codecs/decode.ts';
import { encode } from '../../src/processor/codecs/encode.ts';
import type { ImageHeader } from '../../src/processor/codecs/header.ts';
import { turboJpeg } from '../../src/processor/codecs/jpeg/turbojpeg.ts';
import { readHeader } from '../../src/processor/codecs/read-header.ts';
import type { Pixels } from '../../src/processor/image/pixels.ts';
import { median } from '../measure.ts';
import { cpuClockMs } from '../process-tree.ts';
import { type Expected, type Work, type WorkName, works } from './works.ts';

/*
 * The physical limit: only the codecs on the same file, in this process. No resize, no tensor, no service.
 */

const maxPixels = 2 ** 28;

/** Decodings of works with fast numerics, which need fewer pixels; all others decode everything. */
const decodings: Readonly<Partial<Record<WorkName, (content: Uint8Array, header: ImageHeader) => unknown>>> =
  {
    // 2225 lines to 512: half of the lines and columns are more than twice as many.
    largeColour: (content, header) => turboJpeg?.decode(content, header, 3, 2),
  };

/** @returns CPU milliseconds, the median of `runs` */
export async function codecAlone(name: WorkName, expected: Expected, runs: number): Promise<number> {
  const work: Work = works[name];
  const header = await readHeader(work.source, maxPixels);
  const decodeSource = decodings[name] ?? decodeWhole;
  const picture = pictureOf(work, expected);
  const format = work.query.format === 'raw' ? undefined : (work.query.format as 'jpeg' | 'png');
  const times: number[] = [];
  for (let run = -2; run < runs; run++) {
    const before = cpuClockMs(process.pid);
    await decodeSource(work.source, header);
    if (format !== undefined && picture !== undefined) await encode(picture, format, 80);
    if (run >= 0) times.push(cpuClockMs(process.pid) - before);
  }
  return median(times);
}

/** CPU milliseconds of runs in turn: the bundled libjpeg-turbo, and the system's; empty where one is not installed. */
export function decodeTimes(rounds: number): Record<'bundled' | 'system', readonly number[]> {
  const of = (TURBOJPEG_LIBRARY: string) => {
    const script = fileURLToPath(new URL('./decode-times.ts', import.meta.url));
    const env = { PATH: process.env.PATH, TURBOJPEG_LIBRARY };
    const { stdout } = spawnSync(process.execPath, [script], { env, encoding: 'utf8' });
    const times = JSON.parse(stdout) as number[] | null;
    return times === null ? [] : [median(times)];
  };
  const times = { bundled: [] as number[], system: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    times.bundled.push(...of(''));
    times.system.push(...of('libturbojpeg.so.0'));
  }
  return times;
}

/** The exact pixels of an image response; undefined for a tensor. */
function pictureOf({ reference }: Work, { levels }: Expected): Pixels | undefined {
  if (reference === undefined) return undefined;
  const channels = reference.grayscale === 'true' ? 1 : 3;
  const [width, height] = [Number(reference.width), Number(reference.height)];
  return { data: levels as Uint8Array, width, height, channels };
}
