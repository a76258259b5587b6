import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { benchArguments } from './measure.ts';

/*
 * All tables of docs/performance.md in one run, as Markdown:
 *
 *   npm run bench -- [--python PATH] [--images DIR] [--quick]
 *
 * Each part can be run by itself with the same arguments: node bench/stages.ts
 */

benchArguments(); // a wrong one ends the run here

const parts = {
  'Stages alone': 'stages.ts',
  'The resampler beside Pillow’s': 'resample.ts',
  'The processor’s event loop': 'event-loop.ts',
  'Transport alone': 'transport.ts',
  'The whole service': 'service.ts',
};
for (const [title, file] of Object.entries(parts)) {
  process.stdout.write(`\n### ${title}\n\n`);
  const script = fileURLToPath(new URL(file, import.meta.url));
  const part = spawn(process.execPath, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
  const [code] = (await once(part, 'exit')) as [number | null];
  if (code !== 0) process.exitCode = 1;
}
