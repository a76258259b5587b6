import type { Settings } from '../form/settings.ts';
import { type CallContext, keyVariable, literal, outputName, passwordVariable } from './call-context.ts';
import { minimalOptions } from './minimal-options.ts';

/** The call with `fetch`, as a module for Node. @throws Failure OPTION_INVALID */
export function fetchCall(
  settings: Settings,
  { source, api, needsKey, isEncrypted, defaults, responseType }: CallContext,
): string {
  const options = minimalOptions(settings, defaults);
  const isUrl = 'url' in source;
  const query = [...(isUrl ? [['url', source.url] as const] : []), ...options];
  const key = needsKey ? [`    Authorization: \`Bearer \${process.env.${keyVariable}}\`,`] : [];
  // Values of headers are Latin-1 in fetch; the service reads UTF-8.
  const password = isEncrypted
    ? [`    'X-Document-Password': Buffer.from(process.env.${passwordVariable}).toString('latin1'),`]
    : [];
  const type = isUrl ? [] : ["    'Content-Type': 'application/octet-stream',"];
  const headers = [...type, ...key, ...password];
  const init = [
    ...(isUrl ? [] : ["  method: 'POST',"]),
    ...(headers.length === 0 ? [] : ['  headers: {', ...headers, '  },']),
    ...(isUrl ? [] : [`  body: await readFile(${literal(source.file)}), // in a browser: input.files[0]`]),
  ];
  return [
    `import { ${isUrl ? '' : 'readFile, '}writeFile } from 'node:fs/promises';`,
    '',
    ...(query.length === 0
      ? []
      : [
          'const options = new URLSearchParams({',
          ...query.map(([name, value]) => `  ${name}: ${literal(value)},`),
          '});',
        ]),
    `const response = await fetch(${target(`${api}/v1/images`, query.length > 0)}${init.length === 0 ? ');' : ', {'}`,
    ...(init.length === 0 ? [] : [...init, '});']),
    'if (!response.ok) throw new Error(await response.text());',
    `await writeFile(${literal(outputName(settings, source, responseType))}, await response.bytes());`,
    "console.log(response.headers.get('Content-Type'), response.headers.get('Content-Length'));",
  ].join('\n');
}

function target(url: string, hasQuery: boolean): string {
  return hasQuery ? `\`${url.replace(/[`$\\]/g, '\\$&')}?\${options}\`` : literal(url);
}
