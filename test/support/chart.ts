import { spawnSync } from 'node:child_process';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from './kubernetes-schema.ts';
import { helm } from './tools.ts';

export const chart = 'charts/image-service';

/** Runs helm to its end. */
export function runHelm(...parameters: string[]) {
  const { status, stdout, stderr } = spawnSync(helm ?? '', parameters, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/**
 * The objects that a release of the chart consists of, hooks excluded.
 *
 * @param parameters - of `helm template`, as `--values`, `examples/production.yaml`
 */
export function renderChart(...parameters: string[]): KubernetesObject[] {
  const { status, stdout, stderr } = runHelm(
    ...['template', 'image-service', chart, '--namespace', 'image-service', '--no-hooks'],
    ...parameters,
  );
  if (status !== 0) throw new Error(stderr);
  return objectsOf(stdout);
}

/** The objects of a text with any number of YAML documents. */
export function objectsOf(text: string): KubernetesObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    for (const error of document.errors) throw error;
    return document.toJS() ?? [];
  });
}
