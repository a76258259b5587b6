import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { findProgram } from './tools.ts';

/**
 * A Python that can import all of the modules: the environment's PYTHON or PYTHON_CLIENT (the one with the Python client,
 * see .ci/run), or the PATH's python3. Undefined where there is none: tests that need it are skipped by name.
 */
export function findPythonWith(...modules: string[]): string | undefined {
  // Importing the libraries of models takes seconds.
  const program = `import importlib.util, sys
sys.exit(any(importlib.util.find_spec(name) is None for name in ${JSON.stringify(modules)}))`;
  return [process.env.PYTHON, process.env.PYTHON_CLIENT, findProgram('python3')].find(
    (python) => !!python && spawnSync(python, ['-c', program], { stdio: 'ignore' }).status === 0,
  );
}

/** Those of the modules that a Python cannot import. @param python - path of the program */
export function missingIn(python: string, modules: readonly string[]): string[] {
  const program = `import importlib.util, json
print(json.dumps([name for name in ${JSON.stringify([...new Set(modules)])} if importlib.util.find_spec(name) is None]))`;
  const { stdout } = spawnSync(python, ['-c', program]);
  return JSON.parse(stdout.toString()) as string[];
}
