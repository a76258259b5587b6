/** A JSON schema, draft 7. */
export type Schema = Readonly<Record<string, unknown>>;

const text = { type: 'string' };
const map = { type: 'object', additionalProperties: text };
const texts = { type: 'array', items: text };
const objects = { type: 'array', items: { type: 'object' } };
const named = {
  type: 'array',
  items: { type: 'object', required: ['name'], properties: { name: text } },
};
const duration = { pattern: '^[0-9]+(ms|s|m)$' };
const pullPolicy = { enum: ['', 'IfNotPresent', 'Always', 'Never'] };
const positive = { minimum: 1 };
const range = { type: 'string', pattern: '^[0-9a-fA-F.:]+/[0-9]+$' };
const port = { type: 'integer', minimum: 1, maximum: 65_535 };

/** What a value's default does not say of it, by the last keys of its path; the first that fits counts. */
const rules: readonly (readonly [ending: string, rule: Schema])[] = [
  ['namePrefix', { pattern: '^([a-z][a-z0-9-]*)?$', maxLength: 30 }],
  ['imagePullSecrets', named],
  ['ipFamilyPolicy', { enum: ['', 'SingleStack', 'PreferDualStack', 'RequireDualStack'] }],
  ['ipFamilies', { items: { enum: ['IPv4', 'IPv6'] }, maxItems: 2, uniqueItems: true }],
  ['image.pullPolicy', pullPolicy],
  ['image.repository', { minLength: 1 }],
  ['image.digest', { pattern: '^(sha256:[0-9a-f]{64})?$' }],
  ['extraEnv', named],
  ['extraEnvFrom', objects],
  ['autoscaling.min', positive],
  ['autoscaling.max', positive],
  ['autoscaling.fallbackReplicas', positive],
  ['autoscaling.cpu', { type: ['integer', 'null'], minimum: 1 }],
  ['autoscaling.inFlight', { type: ['number', 'null'], exclusiveMinimum: 0, minimum: undefined }],
  ['tolerations', objects],
  ['topologySpreadConstraints', objects],
  ['extraVolumes', named],
  ['extraVolumeMounts', named],
  ['pdb.maxUnavailable', { type: ['integer', 'string'], pattern: '^[0-9]+%$', minimum: 1 }],
  ['service.type', { enum: ['ClusterIP', 'NodePort', 'LoadBalancer'] }],
  ['service.port', port],
  ['service.nodePort', { ...port, type: ['integer', 'null'] }],
  ['credentials.fsGroup', { type: ['integer', 'null'] }],
  ['redis.url', { pattern: '^(rediss?://.+)?$' }],
  ['redis.maxMemory', { pattern: '^[0-9]+(kb|mb|gb)$' }],
  ['networkPolicy.redis.cidrs', { items: range }],
  ['networkPolicy.redis.port', port],
  ['hosts', texts],
  ['hostnames', texts],
  ['tls', objects],
  ['parentRefs', named],
  ['keda.prometheus', { pattern: '^(https?://.+)?$' }],
  ['keda.pollingInterval', positive],
  ['extraIngress', objects],
  [
    'networkPolicy.dns',
    {
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['namespace', 'podLabels', 'port'],
        properties: { namespace: text, podLabels: map, port, nodeLocal: range },
      },
    },
  ],
  ['extraExcept', { items: range }],
  ['extraEgress.api', objects],
  ['extraEgress.processor', objects],
  ['interval', duration],
  ['scrapeTimeout', duration],
  ['nodeSelector', map],
  ['abels', map],
  ['nnotations', map],
];

/** The rule of a value, by its path. @param alerts - names of the alerts that there are */
export function refined(path: readonly string[], alerts: readonly string[]): Schema {
  if (path.at(-1) === 'disabledAlerts') return { items: { enum: alerts }, uniqueItems: true };
  const whole = path.join('.');
  return rules.find(([ending]) => whole.endsWith(ending))?.[1] ?? {};
}
