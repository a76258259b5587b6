import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Modules whose importers may start other programs, or depend on what is installed. */
const startsPrograms = new Set(['node:child_process', 'test/support/tools.ts']);

const imports = new Map<string, readonly string[]>();

/** The modules that a file imports, except those only for their types: paths from the checkout, or names. */
function importsOf(path: string): readonly string[] {
  const known = imports.get(path);
  if (known !== undefined) return known;
  const text = readFileSync(join(root, path), 'utf8');
  const statements = text.matchAll(
    /^(?:import|export)\s(?!type\b)(?:[^;'"]*?\sfrom\s)?\s*['"]([^'"]+)['"]/gm,
  );
  const calls = text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g);
  const found = [...statements, ...calls].map(([, name = '']) =>
    name.startsWith('.') ? relative(root, resolve(root, dirname(path), name)) : name,
  );
  imports.set(path, found);
  return found;
}

/** Whether an import leads from a file, over any number of others, to one of `startsPrograms`. */
function mayStartPrograms(path: string, seen = new Set<string>()): boolean {
  if (startsPrograms.has(path)) return true;
  if (seen.has(path) || !existsSync(join(root, path))) return false;
  seen.add(path);
  return importsOf(path).some((name) => mayStartPrograms(name, seen));
}

/**
 * The lanes of the tests, derived from their imports: `unit` starts no other program and needs none that npm does not
 * install; `programs` is the rest. Every test file is in exactly one of them.
 *
 * @returns paths of test files from the checkout
 */
export function testLanes(): { readonly unit: readonly string[]; readonly programs: readonly string[] } {
  const files = globSync('test/**/*.test.ts', { cwd: root }).sort();
  const { unit = [], programs = [] } = Object.groupBy(files, (file) =>
    mayStartPrograms(file) ? 'programs' : 'unit',
  );
  return { unit, programs };
}
