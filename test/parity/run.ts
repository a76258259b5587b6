/*
 * Compares the service with Pillow, and its kernels with torch and OpenCV, byte for byte.
 *
 *   npm run parity -- [--count 200] [--seed N] [--python PATH]   random images and requests
 *   npm run parity -- --numerics torch|opencv [--bytes 1e8] [--seed N] [--python PATH]   random resizes, of that many bytes
 *   npm run parity -- --resamplers [NAMES] [--bytes 1e6] [--seed N] [--python PATH]   the skew report's resamplers by part of their names, each
 *   npm run parity -- --files DIR [--all] [--python PATH]        the files of a folder and of those below it
 *   npm run parity -- --presets [--family NAME] [--type NAME] [--library NAME] [--configs 20] [--seed N] [--again] [--python PATH]
 *                                                                models' tensors, with their own libraries
 *   npm run parity -- --presets --table                          writes the tables of docs/models.md from all such runs
 *   npm run parity -- --pdf [--python PATH]                      pages of PDFs, with the installed pypdfium2
 *
 * PYTHON names the interpreter too. With --files only files that are not identical are listed, unless --all. Exits with
 * 1 on a difference that docs/numerics.md does not document. Without Pillow, random images are skipped and --files
 * exits with 2.
 */
import { existsSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type ComparedFile, compareFiles, tableOf } from './files.ts';
import { compareFresh } from './fresh.ts';
import { compareModels } from './models.ts';
import { writeTables } from './models-table.ts';
import { compareLibrary, type Library } from './numerics.ts';
import { comparePdf } from './pdf.ts';
import { hasModules } from './python-peer.ts';
import { compareResamplers } from './resamplers.ts';

const { values: options } = parseArgs({
  options: {
    count: { type: 'string', default: '200' },
    seed: { type: 'string', default: `${Date.now()}` },
    numerics: { type: 'string', default: 'pillow' },
    bytes: { type: 'string' },
    resamplers: { type: 'string' },
    files: { type: 'string' },
    all: { type: 'boolean', default: false },
    pdf: { type: 'boolean', default: false },
    presets: { type: 'boolean', default: false },
    family: { type: 'string' },
    type: { type: 'string' },
    library: { type: 'string' },
    configs: { type: 'string', default: '20' },
    again: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
    python: { type: 'string', default: process.env.PYTHON || 'python3' },
  },
});

async function compareFolder(folder: string, python: string): Promise<boolean> {
  const files: ComparedFile[] = [];
  const versions = await compareFiles(folder, python, (file) => {
    files.push(file);
    if (options.all || (file.outcome !== 'identical' && file.outcome !== 'refused'))
      console.log(lineOf(file));
  });
  console.log(`\n${tableOf(files)}\n\n${versions}`);
  const undocumented = files.filter(({ isUndocumented }) => isUndocumented).length;
  if (undocumented > 0) console.log(`${undocumented} of ${files.length} files differ in an undocumented way`);
  return undocumented === 0;
}

function lineOf({ name, outcome, detail, known, isUndocumented }: ComparedFile): string {
  const documented = isUndocumented
    ? ' [UNDOCUMENTED]'
    : known === undefined
      ? ''
      : ` [documented: ${known.id}]`;
  return `${outcome}: ${name}${detail && `: ${detail}`}${documented}`;
}

/** The Python modules that each numerics is compared with. */
const modulesOf: Readonly<Record<Library, readonly string[]>> = {
  torch: ['torch', 'torchvision'],
  opencv: ['cv2'],
};

async function compareNumerics(library: string, python: string): Promise<void> {
  if (library !== 'torch' && library !== 'opencv') {
    console.log(`parity: --numerics is "${library}"; allowed: pillow, torch, opencv.`);
    process.exitCode = 2;
    return;
  }
  if (!hasModules(python, ['numpy', ...modulesOf[library]])) {
    console.log(`parity: skipped, ${python} lacks NumPy or ${modulesOf[library].join(' or ')}.`);
    return;
  }
  const isEqual = await compareLibrary(library, python, Number(options.bytes ?? 1e8), options.seed);
  if (!isEqual) process.exitCode = 1;
}

async function comparePresets(python: string): Promise<void> {
  if (options.table) return writeTables();
  if (!hasModules(python, ['numpy', 'PIL', 'torch', 'transformers'])) {
    console.log(`parity: skipped, ${python} lacks the packages of test/parity/requirements-models.txt.`);
    return;
  }
  const isEqual = await compareModels({ ...options, python, configs: Number(options.configs) });
  if (!isEqual) process.exitCode = 1;
}

async function comparePages(python: string): Promise<void> {
  if (!hasModules(python, ['numpy', 'pypdfium2', 'pikepdf', 'fontTools'])) {
    console.log(`parity: skipped, ${python} lacks the packages of test/parity/requirements-pdf.txt.`);
    return;
  }
  if (!(await comparePdf(python))) process.exitCode = 1;
}

async function main(): Promise<void> {
  const { files, python, numerics } = options;
  if (options.resamplers !== undefined) {
    const bytes = Number(options.bytes ?? 1e6);
    const isEqual = await compareResamplers(python, bytes, options.seed, options.resamplers);
    if (!isEqual) process.exitCode = 1;
    return;
  }
  if (options.pdf) return comparePages(python);
  if (options.presets) return comparePresets(python);
  if (numerics !== 'pillow') return compareNumerics(numerics, python);
  if (!hasModules(python, ['PIL'])) {
    const missing = `${python} has no Pillow. Install it (pip install pillow), or name another interpreter by PYTHON or --python.`;
    console.log(files === undefined ? `parity: skipped, ${missing}` : `parity: ${missing}`);
    if (files !== undefined) process.exitCode = 2;
    return;
  }
  if (files !== undefined && !existsSync(files)) {
    console.log(`parity: there is no folder ${files}.`);
    process.exitCode = 2;
    return;
  }
  const isEqual =
    files === undefined
      ? await compareFresh(python, Number(options.count), options.seed)
      : await compareFolder(files, python);
  if (!isEqual) process.exitCode = 1;
}

await main();
