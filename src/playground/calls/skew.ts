import { asTensor, type Settings } from '../form/settings.ts';
import { type CallContext, type GivenFile, keyVariable, literal } from './call-context.ts';
import { minimalOptions } from './minimal-options.ts';
import { command, formFile, shellQuoted } from './shell.ts';

/*
 * The call of POST /v1/skew: the image, what another program made of it, and the options that give the expected tensor.
 */

/** The form's fields of text. A comparison reads the expected tensor from no container. */
function textFields(
  settings: Settings,
  { source, defaults }: CallContext,
  { raw }: GivenFile,
): readonly (readonly [name: string, text: string])[] {
  const options = minimalOptions(asTensor(settings), defaults).filter(
    // Beside a shape, the datatype is that of the raw values.
    ([name]) => name !== 'format' && !(name === 'datatype' && raw !== undefined),
  );
  return [
    ...('url' in source ? [['url', source.url] as const] : []),
    ...options,
    ...(raw === undefined
      ? []
      : ([
          ['shape', raw.shape.join(',')],
          ['datatype', raw.datatype],
        ] as const)),
  ];
}

/** The comparison with curl. @throws Failure OPTION_INVALID */
export function curlSkew(settings: Settings, context: CallContext, given: GivenFile): string {
  const { source, api, needsKey } = context;
  const files = [...('file' in source ? [['image', source.file]] : []), [given.field, given.name]];
  return command(
    'curl -sS --fail-with-body',
    ...(needsKey ? [`-H "Authorization: Bearer $${keyVariable}"`] : []),
    ...files.map(([field, name = '']) => `-F ${shellQuoted(`${field}=@${formFile(name)}`)}`),
    ...textFields(settings, context, given).map(
      ([name, value]) => `--form-string ${shellQuoted(`${name}=${value}`)}`,
    ),
    shellQuoted(`${api}/v1/skew`),
  );
}

/** The comparison with `fetch`, as a module for Node. @throws Failure OPTION_INVALID */
export function fetchSkew(settings: Settings, context: CallContext, given: GivenFile): string {
  const { source, api, needsKey } = context;
  const files = [...('file' in source ? [['image', source.file]] : []), [given.field, given.name]];
  return [
    "import { openAsBlob } from 'node:fs';",
    '',
    'const body = new FormData();',
    ...files.map(
      ([field = '', name = '']) =>
        `body.set(${literal(field)}, await openAsBlob(${literal(name)}), ${literal(field)});`,
    ),
    ...textFields(settings, context, given).map(
      ([name, value]) => `body.set(${literal(name)}, ${literal(value)});`,
    ),
    `const response = await fetch(${literal(`${api}/v1/skew`)}, {`,
    "  method: 'POST',",
    ...(needsKey ? [`  headers: { Authorization: \`Bearer \${process.env.${keyVariable}}\` },`] : []),
    '  body,',
    '});',
    'if (!response.ok) throw new Error(await response.text());',
    'const { equal, cause } = await response.json();',
    "console.log(equal ? 'equal' : cause.sentence);",
  ].join('\n');
}
