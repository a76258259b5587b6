import process from 'node:process';
import { turboJpeg } from '../../src/processor/codecs/jpeg/turbojpeg.ts';
import { readHeader } from '../../src/processor/codecs/read-header.ts';
import { cpuClockMs } from '../process-tree.ts';
import { works } from './works.ts';

/*
 * CPU of decoding the large photograph by the library of TURBOJPEG_LIBRARY, as a JSON array of milliseconds; null if there is
 * no such library.
 */

const runs = 9;

const { source } = works.largeClip;
const header = await readHeader(source, 2 ** 28);
const times = Array.from({ length: runs }, () => {
  const before = cpuClockMs(process.pid);
  turboJpeg?.decode(source, header, 3, 1);
  return cpuClockMs(process.pid) - before;
});
process.stdout.write(JSON.stringify(turboJpeg === undefined ? null : times));
