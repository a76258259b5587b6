import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import type { ResizeStep } from '../processor/image/resize.ts';
import type { PresetPlan } from '../processor/presets/preset-plan.ts';
import { createPresets } from '../processor/presets/presets.ts';
import type { Preset, PresetGroup } from './presets/preset-list.ts';

/*
 * `npm run build:playground`: the pages into build/playground, each file also compressed. Scripts and
 * styles have a digest in their names, so that browsers may cache them forever.
 */

const here = fileURLToPath(new URL('.', import.meta.url));
const folder = fileURLToPath(new URL('../../build/playground', import.meta.url));

const { outputFiles } = await build({
  entryPoints: ['main.ts', 'docs.ts', 'problems.ts', 'playground.css', 'icon.svg'].map((name) =>
    join(here, name),
  ),
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2023', 'chrome115', 'firefox121', 'safari17'],
  platform: 'browser',
  loader: { '.svg': 'copy' },
  outdir: folder,
  legalComments: 'none',
  define: { shippedPresets: JSON.stringify(shippedPresets()) },
  write: false,
});

mkdirSync(dirname(folder), { recursive: true });
// Beside it first: a service that starts meanwhile finds the old files or the new ones.
const unfinished = mkdtempSync(`${folder}-`);
const names = new Map<string, string>();
for (const { path, contents } of outputFiles) {
  const digest = createHash('sha256').update(contents).digest('hex').slice(0, 12);
  const name = basename(path).replace(/(\.\w+)$/, `-${digest}$1`);
  names.set(basename(path), name);
  write(name, contents);
}
for (const page of ['index.html', 'docs.html', 'problems.html']) {
  const html = readFileSync(join(here, page), 'utf8').replaceAll(
    /"(\{\{root\}\})?playground\/([\w.]+)"/g,
    (_, root = '', file) => {
      const name = names.get(file);
      if (name === undefined) throw new Error(`${page} names ${file}, which is not built`);
      return `"${root}playground/${name}"`;
    },
  );
  write(page, Buffer.from(html));
}
chmodSync(unfinished, 0o755);
rmSync(folder, { recursive: true, force: true });
renameSync(unfinished, folder);

function write(name: string, contents: Uint8Array): void {
  const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
  writeFileSync(join(unfinished, name), contents);
  writeFileSync(join(unfinished, `${name}.br`), brotliCompressSync(contents, brotli));
  writeFileSync(join(unfinished, `${name}.gz`), gzipSync(contents, { level: 9 }));
}

function shippedPresets(): PresetGroup[] {
  const { all, aliasesOf } = createPresets({});
  const groups = Map.groupBy(all, ({ libraries, plan, settings }) =>
    JSON.stringify({ ...shapeOf(plan(libraries[0], {})), ...(settings && { settings }) } satisfies Preset),
  );
  return Array.from(groups, ([shape, presets]) => ({
    names: presets.flatMap((preset) => [preset.name, ...aliasesOf(preset)]),
    ...(JSON.parse(shape) as Preset),
  }));
}

function shapeOf({ steps, views, tensor }: PresetPlan): Preset {
  const resize = steps.find((step) => step.kind === 'resize');
  const crop = steps.find((step) => step.kind === 'crop');
  const kinds = steps.map(({ kind }) => kind).join();
  const isPlain =
    (kinds === 'resize' || kinds === 'resize,crop') &&
    views === undefined &&
    tensor.arrangement?.kind !== 'resizedValues' &&
    (crop === undefined || typeof crop.origin === 'string');
  return {
    ...(resize === undefined ? {} : { resize: sizeOf(resize) }),
    ...(crop === undefined
      ? {}
      : {
          crop: {
            width: crop.width,
            height: crop.height,
            ...(crop.origin === 'torchvision' && { rounds: 'half to even' }),
          },
        }),
    ...(isPlain && { isPlain }),
    ...(views !== undefined && { makesPictures: true }),
  };
}

function sizeOf(step: ResizeStep): NonNullable<Preset['resize']> {
  if (step.fit === 'width' || step.fit === 'height') throw new Error(`no preset resizes by its ${step.fit}`);
  if (step.fit === 'rule') return { byRule: true };
  const { kind: _kind, fit: _fit, filter: _filter, library: _library, ...size } = step;
  return size;
}
