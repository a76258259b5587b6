import type { DescField } from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import { ProcessRequestSchema } from '../../../gen/image/v1/processor_pb.ts';
import { passwordName } from '../../options/parse-options.ts';
import type { Settings } from '../form/settings.ts';
import { withPassword } from '../source/password.ts';
import { type CallContext, keyVariable, literal, outputName, passwordVariable } from './call-context.ts';
import { minimalRequest } from './minimal-options.ts';

/** The call with Connect's client, as a TypeScript module for Node. @throws Failure OPTION_INVALID */
export function connectCall(
  settings: Settings,
  { source, api, needsKey, isEncrypted, responseType }: CallContext,
): string {
  const isUrl = 'url' in source;
  const value = isUrl
    ? `{ case: 'url', value: ${literal(source.url)} }`
    : `{ case: 'content', value: await readFile(${literal(source.file)}) }`;
  const enums = new Set<string>();
  const request = withPassword(minimalRequest(settings), isEncrypted ? passwordVariable : undefined);
  const fields = fieldsOf(reflect(ProcessRequestSchema, request), enums);
  const names = [...enums, 'ProcessorService'].sort().join(', ');
  const end = needsKey
    ? `}, { headers: { Authorization: \`Bearer \${process.env.${keyVariable}}\` } });`
    : '});';
  return [
    `import { ${isUrl ? '' : 'readFile, '}writeFile } from 'node:fs/promises';`,
    "import { createClient } from '@connectrpc/connect';",
    "import { createConnectTransport } from '@connectrpc/connect-web';",
    `import { ${names} } from './gen/image/v1/processor_pb.ts';`,
    '',
    `const transport = createConnectTransport({ baseUrl: ${literal(api)} });`,
    'const client = createClient(ProcessorService, transport);',
    'const { content, contentType, width, height } = await client.process({',
    `  source: ${value},`,
    ...fields.map((field) => `  ${field},`),
    end,
    `await writeFile(${literal(outputName(settings, source, responseType))}, content);`,
    'console.log(contentType, width, height);',
  ].join('\n');
}

/** The set fields of a message as members of an object literal. @param enums - gets the names of the enums in use */
function fieldsOf(message: ReflectMessage, enums: Set<string>): string[] {
  return message.sortedFields
    .filter((field) => message.isSet(field))
    .map((field) => {
      const value = literalOf(message, field, enums);
      if (field.oneof === undefined) return `${field.localName}: ${value}`;
      return `${field.oneof.localName}: { case: '${field.localName}', value: ${value} }`;
    });
}

function literalOf(message: ReflectMessage, field: DescField, enums: Set<string>): string {
  if (field.fieldKind === 'message') return objectOf(message.get(field), enums);
  if (field.fieldKind === 'enum') {
    enums.add(field.enum.name);
    return `${field.enum.name}.${field.enum.value[message.get(field)]?.localName}`;
  }
  if (field.fieldKind === 'list') return `[${[...message.get(field)].join(', ')}]`;
  if (field.name === passwordName) return `process.env.${passwordVariable}`;
  return JSON.stringify(message.get(field as DescField & { fieldKind: 'scalar' }));
}

function objectOf(message: ReflectMessage, enums: Set<string>): string {
  const fields = fieldsOf(message, enums);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}
