import type { Settings } from '../form/settings.ts';
import { type CallContext, keyVariable, literal, outputName, passwordVariable } from './call-context.ts';
import { minimalOptions } from './minimal-options.ts';

/** The call as a Go program with only the standard library. @throws Failure OPTION_INVALID */
export function go(
  settings: Settings,
  { source, api, needsKey, isEncrypted, defaults, responseType }: CallContext,
): string {
  const isUrl = 'url' in source;
  const options = minimalOptions(settings, defaults);
  const query = [...(isUrl ? [['url', source.url] as const] : []), ...options];
  const imports = [
    ...(isUrl ? [] : ['bytes']),
    'fmt',
    'io',
    'log',
    'net/http',
    ...(query.length === 0 ? [] : ['net/url']),
    'os',
  ];
  const target = literal(`${api}/v1/images${query.length === 0 ? '' : '?'}`);
  const url = query.length === 0 ? target : `${target}+options.Encode()`;
  return [
    'package main',
    '',
    'import (',
    ...imports.map((name) => `\t"${name}"`),
    ')',
    '',
    'func main() {',
    ...(isUrl ? [] : [`\timage, err := os.ReadFile(${literal(source.file)})`, ...check]),
    ...(query.length === 0 ? [] : ['\toptions := url.Values{}', ...query.map(entry)]),
    ...(isUrl
      ? [`\trequest, err := http.NewRequest(http.MethodGet, ${url}, nil)`]
      : [`\trequest, err := http.NewRequest(http.MethodPost, ${url}, bytes.NewReader(image))`]),
    ...check,
    ...(isUrl ? [] : ['\trequest.Header.Set("Content-Type", "application/octet-stream")']),
    ...(needsKey ? [`\trequest.Header.Set("Authorization", "Bearer "+os.Getenv("${keyVariable}"))`] : []),
    ...(isEncrypted ? [`\trequest.Header.Set("X-Document-Password", os.Getenv("${passwordVariable}"))`] : []),
    '\tresponse, err := http.DefaultClient.Do(request)',
    ...check,
    '\tdefer response.Body.Close()',
    '\tcontent, err := io.ReadAll(response.Body)',
    ...check,
    '\tif response.StatusCode != http.StatusOK {',
    '\t\tlog.Fatalf("%s: %s", response.Status, content)',
    '\t}',
    `\tif err := os.WriteFile(${literal(outputName(settings, source, responseType))}, content, 0o644); err != nil {`,
    '\t\tlog.Fatal(err)',
    '\t}',
    '\tfmt.Println(response.Header.Get("Content-Type"), len(content))',
    '}',
  ].join('\n');
}

const check = ['\tif err != nil {', '\t\tlog.Fatal(err)', '\t}'];

function entry([name, value]: readonly [string, string]): string {
  return `\toptions.Set(${literal(name)}, ${literal(value)})`;
}
