import { fileURLToPath } from 'node:url';

/*
 * The folder of this checkout, package or image, and the programs in it. This is the one module that knows its own place:
 * it is in src/ as it is written, and in dist/ when the services are built.
 */

/** The programs, by their names in dist/: the entry points of the build. */
export const programs = {
  'image-service': 'src/start/bin.ts',
  'image-client': 'src/client/bin.ts',
  start: 'src/start/main.ts',
  api: 'src/api/main.ts',
  processor: 'src/processor/main.ts',
  worker: 'src/processor/workers/worker-process.ts',
  probe: 'src/processor/probe.ts',
} as const;

const root = new URL('../', import.meta.url);

const isBuilt = import.meta.url.endsWith('.js');

/** The path of a file, such as `build/kernels.wasm`. */
export function pathOf(file: string): string {
  return fileURLToPath(new URL(file, root));
}

/** The path of a program: of its source in a checkout whose sources run, else of what was built from it. */
export function programOf(name: keyof typeof programs): string {
  return pathOf(isBuilt ? `dist/${name}.js` : programs[name]);
}
