import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseEnv } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import type { KubernetesObject } from './kubernetes-schema.ts';

interface Kustomization {
  readonly resources: readonly string[];
  readonly configMapGenerator?: readonly {
    readonly name: string;
    readonly envs?: readonly string[];
    readonly literals?: readonly string[];
  }[];
}

const isFolder = (resource: string) => !resource.endsWith('.yaml');

/**
 * The objects of a kustomization as its files have them, those of the kustomizations below it included, and
 * its generated ConfigMaps. Nothing is patched: patches need kustomize.
 */
export function readKustomization(folder: string): KubernetesObject[] {
  const { resources, configMapGenerator = [] } = parseKustomization(folder);
  const objects = resources.flatMap((resource) =>
    isFolder(resource) ? readKustomization(join(folder, resource)) : readObjects(join(folder, resource)),
  );
  for (const { name, envs = [], literals = [] } of configMapGenerator) {
    const below = objects.find((object) => object.kind === 'ConfigMap' && object.metadata.name === name);
    const lines = [...envs.map((file) => readFileSync(join(folder, file), 'utf8')), ...literals];
    const data = { ...(below as { data?: object } | undefined)?.data, ...parseEnv(lines.join('\n')) };
    if (below === undefined) objects.push(configMap(name, data));
    else Object.assign(below, { data });
  }
  return objects;
}

/** The files of a folder, and those that its kustomization names: they should be the same. */
export function filesOfKustomization(folder: string): { present: string[]; named: string[] } {
  const { resources, configMapGenerator = [] } = parseKustomization(folder);
  return {
    present: readdirSync(folder).sort(),
    named: [
      'kustomization.yaml',
      ...resources.filter((resource) => !isFolder(resource)),
      ...configMapGenerator.flatMap(({ envs = [] }) => envs),
    ].sort(),
  };
}

/** The program that renders a kustomization on this machine: kubectl contains kustomize. */
const renderer = [
  ['kubectl', 'kustomize'],
  ['kustomize', 'build'],
].find(([program = '']) => spawnSync(program, ['help'], { stdio: 'ignore' }).status === 0);

export const canRender = renderer !== undefined;

/** The rendered objects of a kustomization. */
export function renderKustomization(folder: string): KubernetesObject[] {
  const [program = '', command = ''] = renderer ?? [];
  const { status, stdout, stderr } = spawnSync(program, [command, folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${command} ${folder}: ${stderr}`);
  return parseObjects(stdout);
}

/** The rendered objects of an overlay with one of manifests/components, as somebody's own overlay would have them. */
export async function renderWithComponent(overlay: string, component: string): Promise<KubernetesObject[]> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'overlay-')));
  const from = (path: string) => relative(folder, path);
  try {
    await writeFile(
      join(folder, 'kustomization.yaml'),
      JSON.stringify({
        resources: [from(overlay)],
        components: [from(`manifests/components/${component}`)],
      }),
    );
    return renderKustomization(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function parseKustomization(folder: string): Kustomization {
  return parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8'));
}

function readObjects(file: string): KubernetesObject[] {
  return parseObjects(readFileSync(file, 'utf8'));
}

function parseObjects(text: string): KubernetesObject[] {
  return parseAllDocuments(text).map((document) => {
    for (const error of document.errors) throw error;
    return document.toJS();
  });
}

function configMap(name: string, data: object) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}
