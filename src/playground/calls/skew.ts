import { asTensor, type Settings } from '../form/settings.ts';
import { type CallContext, type GivenFile, keyVariable, literal, passwordVariable } from './call-context.ts';
import { minimalOptions } from './minimal-options.ts';
import { passwordArgument, pythonValue, written } from './python.ts';
import { command, fileArgument, flag, formFile, secretHeaders, shellQuoted } from './shell.ts';

/*
 * The call of POST /v1/skew: the image, what another program made of it, and the options that give the expected tensor.
 */

type Texts = readonly (readonly [name: string, text: string])[];

/** The options of the expected tensor. A comparison reads it from no container. */
function skewOptions(settings: Settings, { defaults, given }: CallContext): Texts {
  return minimalOptions(asTensor(settings), defaults).filter(
    // Beside a shape, the datatype is that of the raw values.
    ([name]) => name !== 'format' && !(name === 'datatype' && given?.raw !== undefined),
  );
}

/** The form of raw values. */
function rawFields({ raw }: GivenFile): Texts {
  if (raw === undefined) return [];
  return [
    ['shape', raw.shape.join(',')],
    ['datatype', raw.datatype.toLowerCase()],
  ];
}

/** The form's fields of text. */
function textFields(settings: Settings, context: CallContext, given: GivenFile): Texts {
  const url = 'url' in context.source ? [['url', context.source.url] as const] : [];
  return [...url, ...skewOptions(settings, context), ...rawFields(given)];
}

/** The comparison with curl. @throws Failure OPTION_INVALID */
export function curlSkew(settings: Settings, context: CallContext, given: GivenFile): string {
  const { source, api } = context;
  const files = [...('file' in source ? [['image', source.file]] : []), [given.field, given.name]];
  return command(
    'curl -sS --fail-with-body',
    ...secretHeaders(context),
    ...files.map(([field, name = '']) => `-F ${shellQuoted(`${field}=@${formFile(name)}`)}`),
    ...textFields(settings, context, given).map(
      ([name, value]) => `--form-string ${shellQuoted(`${name}=${value}`)}`,
    ),
    shellQuoted(`${api}/v1/skew`),
  );
}

/** The comparison with the Python client, which takes the API key from the environment. @throws Failure OPTION_INVALID */
export function pythonSkew(settings: Settings, context: CallContext, given: GivenFile): string {
  const { source, api, isEncrypted } = context;
  const { raw, name, field } = given;
  const options = [
    ...passwordArgument(isEncrypted),
    ...skewOptions(settings, context).map(([option, text]) => `${option}=${pythonValue(option, text)}`),
    ...(field === 'picture' ? ['picture=True'] : []),
  ];
  const file = raw === undefined ? literal(name) : 'tensor';
  return [
    ...(isEncrypted ? ['import os'] : []),
    ...(raw === undefined ? [] : ['import numpy as np']),
    'from image_service_client import Client',
    '',
    ...(raw === undefined
      ? []
      : [`tensor = ${numpyValues(name, raw.datatype)}.reshape(${raw.shape.join(', ')})`]),
    `client = Client(${literal(api)})`,
    ...written('report = client.skew', [
      literal('url' in source ? source.url : source.file),
      file,
      ...options,
    ]),
    'print("equal" if report.equal else report.cause.sentence)',
  ].join('\n');
}

const numpyTypes: Readonly<Record<string, string>> = {
  FP16: '<f2',
  FP32: '<f4',
  FP64: '<f8',
  UINT8: 'u1',
  INT32: '<i4',
  INT64: '<i8',
};

function numpyValues(name: string, datatype: string): string {
  const type = numpyTypes[datatype];
  if (type !== undefined) return `np.fromfile(${literal(name)}, "${type}")`;
  // bfloat16, which NumPy does not have, is the upper half of a binary32.
  return `(np.fromfile(${literal(name)}, "<u2").astype("<u4") << 16).view("<f4")`;
}

/** The comparison with image-client, which takes the API key from the environment. @throws Failure OPTION_INVALID */
export function imageClientSkew(settings: Settings, context: CallContext, given: GivenFile): string {
  const { source, api } = context;
  const input = 'url' in source ? source.url : fileArgument(source.file);
  return command(
    `image-client skew ${shellQuoted(input)} ${shellQuoted(fileArgument(given.name))}`,
    ...(api === 'http://localhost:8080' ? [] : [`--api ${shellQuoted(api)}`]),
    ...[...skewOptions(settings, context), ...rawFields(given)].map(([name, value]) => flag(name, value)),
    ...(given.field === 'picture' ? ['--picture'] : []),
  );
}

/** The comparison with `fetch`, as a module for Node. @throws Failure OPTION_INVALID */
export function fetchSkew(settings: Settings, context: CallContext, given: GivenFile): string {
  const { source, api, needsKey, isEncrypted } = context;
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
    ...(isEncrypted ? [`body.set("password", process.env.${passwordVariable});`] : []),
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
