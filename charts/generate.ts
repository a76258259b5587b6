import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMap, isScalar, type Pair, parse, parseDocument, type YAMLMap } from 'yaml';
import { code, table } from '../docs/generate/markdown.ts';
import { apiEnvironment } from '../src/api/config.ts';
import { processorEnvironment } from '../src/processor/config.ts';
import { refined, type Schema } from './schema-rules.ts';

/*
 * The generated files of the Helm chart: `npm run chart` writes them, and a test holds them equal. values.schema.json comes
 * from values.yaml and its comments, the variables of `env` from the services' own environment, `files/` from
 * manifests/monitoring, the versions from package.json.
 */

const root = fileURLToPath(new URL('../', import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');

/** One row of the table: a value that is set as a whole. */
interface Leaf {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly description: string;
}
/** A key with what is below it. */
type Node = Leaf | { readonly path: readonly string[]; readonly children: readonly Node[] };

/** Variables that the chart sets itself, or whose value the manifests rely on. */
const setByChart = new Set(['HOST', 'PORT', 'METRICS_PORT', 'REDIS_URL']);

const keyOf = ({ key }: Pair) => (isScalar(key) ? String(key.value) : '');

/** The comment lines right before a key, as one line. That of a map's first key belongs to the map. */
function commentOf(map: YAMLMap, pair: Pair): string {
  const own = isScalar(pair.key) ? pair.key.commentBefore : undefined;
  const text = own ?? (map.items[0] === pair ? map.commentBefore : undefined) ?? '';
  return (text.split(/\n\s*\n/).at(-1) ?? '').replace(/\s*\n\s*/g, ' ').trim();
}

/** The keys of a map: those below which keys have comments are sections, all others are rows. */
function nodesOf(map: YAMLMap, path: readonly string[] = []): Node[] {
  return map.items.map((pair) => {
    const { value } = pair;
    const here = [...path, keyOf(pair)];
    const isSection =
      isMap(value) && here.at(-1) !== 'env' && value.items.some((child) => commentOf(value, child) !== '');
    if (isSection) return { path: here, children: nodesOf(value, here) };
    const description = commentOf(map, pair);
    if (description === '') throw new Error(`values.yaml: ${here.join('.')} has no comment`);
    return { path: here, value: isScalar(value) || isMap(value) || value ? toJs(value) : null, description };
  });
}

function toJs(value: unknown): unknown {
  return (value as { toJSON(): unknown }).toJSON();
}

function leavesOf(nodes: readonly Node[]): Leaf[] {
  return nodes.flatMap((node) => ('children' in node ? leavesOf(node.children) : [node]));
}

/** The schema that a default and its rules lead to. */
function schemaOf(node: Node): Schema {
  if ('children' in node) return closed(node.children);
  const { path, value, description } = node;
  if (path.at(-1) === 'env') return { description, ...environmentSchema(path[0] ?? '') };
  return { description, ...typeOf(value), ...refined(path, alertNames()) };
}

function closed(children: readonly Node[]): Schema {
  const properties = Object.fromEntries(children.map((child) => [child.path.at(-1), schemaOf(child)]));
  return { type: 'object', additionalProperties: false, properties };
}

function typeOf(value: unknown): Schema {
  if (value === null) return { type: ['integer', 'null'], minimum: 0 };
  if (Array.isArray(value)) return { type: 'array' };
  if (typeof value === 'number') return { type: 'integer', minimum: 0 };
  return { type: typeof value };
}

function environmentSchema(component: string): Schema {
  const { shape } = component === 'api' ? apiEnvironment : processorEnvironment;
  const variables = Object.entries(shape).filter(([name]) => !setByChart.has(name));
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      variables.map(([name, { description }]) => [
        name,
        { description, type: ['string', 'number', 'boolean', 'null'] },
      ]),
    ),
  };
}

function alertNames(): string[] {
  return ['alerts', 'slos'].flatMap((name) => {
    const { spec } = parse(read(`manifests/monitoring/${name}.yaml`)) as {
      spec: { groups: { rules: { alert?: string }[] }[] };
    };
    return spec.groups.flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? []));
  });
}

function valuesSchema(nodes: readonly Node[]): string {
  const { properties, ...rest } = closed(nodes);
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart image-service',
    ...rest,
    properties: {
      ...(properties as object),
      // Helm gives the first to every dependency; the second is a parent's condition.
      global: { type: 'object' },
      enabled: { type: 'boolean' },
    },
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** The table of values in the chart's README.md, which `npm run docs` writes. */
export function chartValuesTable(): string {
  const rows = leavesOf(chartNodes()).map(({ path, value, description }) => {
    const text = JSON.stringify(value);
    return [
      code(path.join('.')),
      text.length > 60 ? 'see [values.yaml](values.yaml)' : code(text),
      description,
    ];
  });
  return table(['value', 'default', 'meaning'], rows);
}

function chartNodes(): Node[] {
  const { contents } = parseDocument(read('charts/image-service/values.yaml'));
  if (!isMap(contents)) throw new Error('values.yaml is no map');
  return nodesOf(contents as YAMLMap);
}

/** The generated files by their paths from the checkout. */
export function generatedFiles(): Record<string, string> {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const chart = read('charts/image-service/Chart.yaml').replaceAll(
    /^(version|appVersion): .*$/gm,
    (_line, name) => `${name}: ${version}`,
  );
  return {
    'charts/image-service/Chart.yaml': chart,
    'charts/image-service/values.schema.json': valuesSchema(chartNodes()),
    'charts/image-service/files/alerts.yaml': read('manifests/monitoring/alerts.yaml'),
    'charts/image-service/files/slos.yaml': read('manifests/monitoring/slos.yaml'),
    'charts/image-service/files/dashboard.json': read('manifests/monitoring/dashboard.json'),
  };
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(generatedFiles())) writeFileSync(`${root}${path}`, text);
}
