import * as clientModels from '@kubernetes/client-node/dist/gen/models/all.js';

/** A Kubernetes object as YAML has it; its schema is found by these two fields. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** Packages with the schemas of custom resources, by their API group. */
const customResources: Readonly<Record<string, string>> = {
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api',
  'keda.sh': '@kubernetes-models/keda',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};
const groupOf = ({ apiVersion }: KubernetesObject) => apiVersion.split('/')[0] ?? '';

interface Attribute {
  readonly baseName: string;
  readonly type: string;
}

interface ModelClass {
  new (object: unknown): { validate(): void };
}

/**
 * The errors of an object that the API server would report: types, required fields, enums and formats by
 * kubernetes-models, unknown fields by the Kubernetes client's models. Both are generated from Kubernetes'
 * own OpenAPI document, and neither finds every error. Of custom resources, unknown fields are not found.
 */
export async function schemaProblems(object: KubernetesObject): Promise<string[]> {
  const { apiVersion, kind } = object;
  const problem = (text: string) => `${kind} ${object.metadata.name}: ${text}`;
  if (customResources[groupOf(object)] !== undefined) return (await violations(object)).map(problem);
  const version = apiVersion.split('/').at(-1) ?? '';
  const type = version.charAt(0).toUpperCase() + version.slice(1) + kind;
  if (attributesOf(type) === undefined) return [`${apiVersion} has no ${kind}`];
  const problems = [...unknownFields(object, type, ''), ...(await violations(object))];
  return problems.map(problem);
}

async function violations(object: KubernetesObject): Promise<string[]> {
  const { apiVersion, kind } = object;
  const path = `${customResources[groupOf(object)] ?? 'kubernetes-models'}/${apiVersion}/${kind}`;
  const module = (await import(/* @vite-ignore */ path)) as Record<string, ModelClass>;
  const Model = module[kind];
  if (Model === undefined) return [`${apiVersion} has no ${kind}`];
  try {
    new Model(object).validate();
    return [];
  } catch (error) {
    const { errors } = error as { errors?: { instancePath: string; message?: string }[] };
    if (errors === undefined) throw error;
    return errors.map(({ instancePath, message }) => `${instancePath} ${message}`);
  }
}

/** Walks along the client's type names: `V1PodSpec`, `Array<V1Container>`, `{ [key: string]: string; }`. */
function unknownFields(value: unknown, type: string, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const itemType = /^Array<(.*)>$/.exec(type)?.[1] ?? /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  if (itemType !== undefined) {
    return Object.entries(value).flatMap(([key, item]) => unknownFields(item, itemType, `${path}/${key}`));
  }
  const attributes = attributesOf(type);
  if (attributes === undefined) return [];
  return Object.entries(value).flatMap(([key, field]) => {
    const attribute = attributes.find(({ baseName }) => baseName === key);
    return attribute === undefined
      ? [`${path}/${key} is no field of ${type}`]
      : unknownFields(field, attribute.type, `${path}/${key}`);
  });
}

function attributesOf(type: string): readonly Attribute[] | undefined {
  const models = clientModels as unknown as Record<string, { getAttributeTypeMap?(): Attribute[] }>;
  return models[type]?.getAttributeTypeMap?.();
}
