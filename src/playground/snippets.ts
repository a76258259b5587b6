import { toJson } from '@bufbuild/protobuf';
import { type ProcessRequest, ProcessRequestSchema } from '../../gen/image/v1/processor_pb.ts';
import { optionsOf, requestOf } from './request.ts';
import type { Settings } from './settings.ts';

/** The languages that a call can be copied in, in the order of their tabs. */
export const languages = ['curl', 'grpcurl', 'buf curl', 'TypeScript', 'Python'] as const;

export type Language = (typeof languages)[number];

/** The context of a call, besides the settings. */
export interface CallContext {
  /** The image: a file of that name in the working directory, or a URL. */
  readonly source: { readonly file: string } | { readonly url: string };
  /** Origin of image-api. */
  readonly api: string;
  /** `host:port` of image-processor. */
  readonly processor: string;
  /** Whether the API requires a key. */
  readonly needsKey: boolean;
  /** Length of the response, if it is known: gRPC clients accept 4 MiB by default. */
  readonly responseBytes: number | undefined;
}

const keyVariable = 'IMAGE_API_KEY';
const method = 'image.v1.ProcessorService/Process';
const defaultMaxMessageBytes = 4 * 1024 * 1024;

/**
 * The call of these settings, to be pasted into a POSIX shell or run as a file.
 *
 * @throws Failure OPTION_INVALID as requestOf
 */
export function snippet(language: Language, settings: Settings, context: CallContext): string {
  switch (language) {
    case 'curl':
      return curl(settings, context);
    case 'grpcurl':
      return piped(settings, context, grpcurl(context));
    case 'buf curl':
      return piped(settings, context, bufCurl(context));
    case 'TypeScript':
      return typescript(settings, context);
    case 'Python':
      return python(settings, context);
  }
}

/** A name for the output file. */
export function outputName({ output, format, container }: Settings, source: string): string {
  if (output === 'tensor') return `output.${container === 'raw' ? 'bin' : container}`;
  const [, own = ''] = /\.(jpe?g|png|webp)$/i.exec(source) ?? [];
  const endings: Readonly<Record<string, string>> = { jpeg: 'jpg', source: own.toLowerCase() || 'png' };
  return `output.${endings[format] ?? format}`;
}

/** The text as one word for a POSIX shell. */
export function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function curl(settings: Settings, { source, api, needsKey }: CallContext): string {
  const key = needsKey ? [`-H "Authorization: Bearer $${keyVariable}"`] : [];
  const url = shellQuoted(`${api}/v1/images`);
  const output = `-o ${outputName(settings, sourceName(source))}`;
  const options = optionsOf(settings);
  const parts =
    'url' in source
      ? [
          '-G',
          ...[['url', source.url] as const, ...options].map(
            ([name, value]) => `--data-urlencode ${shellQuoted(`${name}=${value}`)}`,
          ),
        ]
      : [
          `-F ${shellQuoted(`image=@${formFile(source.file)}`)}`,
          // Unlike -F it takes a value as it is, also with @, < or ; in it.
          ...options.map(([name, value]) => `--form-string ${shellQuoted(`${name}=${value}`)}`),
        ];
  return ['curl -sS --fail-with-body', ...key, ...parts, `${url} ${output}`].join(' \\\n  ');
}

/** A file's name for curl's -F, which gives commas and semicolons a meaning, and reads - from standard input. */
function formFile(name: string): string {
  const path = name.startsWith('-') ? `./${name}` : name;
  return /[;,"\\]/.test(path) ? `"${path.replace(/["\\]/g, '\\$&')}"` : path;
}

function grpcurl({ processor, responseBytes }: CallContext): string {
  const limit =
    responseBytes !== undefined && responseBytes > defaultMaxMessageBytes - 65_536
      ? ` -max-msg-sz ${2 ** Math.ceil(Math.log2(responseBytes + 65_536))}`
      : '';
  return `grpcurl -plaintext${limit} -d @ ${shellQuoted(processor)} ${method}`;
}

function bufCurl({ processor }: CallContext): string {
  const url = shellQuoted(`http://${processor}/${method}`);
  return `buf curl --protocol grpc --http2-prior-knowledge -d @- ${url}`;
}

/** The message as JSON on a program's standard input, and the content from its output. */
function piped(settings: Settings, { source }: CallContext, program: string): string {
  const message = jsonOf(requestOf(settings));
  const output = `jq -r .content | base64 -d > ${outputName(settings, sourceName(source))}`;
  if ('url' in source) {
    const json = JSON.stringify({ url: source.url, ...message });
    return `printf '%s' ${shellQuoted(json)} |\n  ${program} |\n  ${output}`;
  }
  const rest = JSON.stringify(message).slice(1);
  const end = rest === '}' ? '"}' : `",${rest}`;
  return [
    `{ printf '{"content":"'; base64 < ${shellQuoted(source.file)} | tr -d '\\n'; printf '%s' ${shellQuoted(end)}; } |`,
    `  ${program} |`,
    `  ${output}`,
  ].join('\n');
}

function jsonOf(request: ProcessRequest): Record<string, unknown> {
  return toJson(ProcessRequestSchema, request) as Record<string, unknown>;
}

function typescript(settings: Settings, { source, api, needsKey }: CallContext): string {
  const name = outputName(settings, sourceName(source));
  const image = 'url' in source ? '' : 'readFile, ';
  const value =
    'url' in source
      ? `{ case: 'url', value: ${literal(source.url)} }`
      : `{ case: 'content', value: await readFile(${literal(source.file)}) }`;
  const lines = [
    `  source: ${value},`,
    ...(settings.recipe === 'preset' ? [`  preset: ${literal(settings.preset)},`] : ownLines(settings)),
    ...outputLines(settings),
    `  numerics: Numerics.${settings.numerics.toUpperCase()},`,
    ...(settings.orientation === 'apply' ? [] : ['  orientation: Orientation.IGNORE,']),
    ...(settings.alpha === 'default' ? [] : [`  alpha: Alpha.${settings.alpha.toUpperCase()},`]),
  ];
  const enums = [
    'Alpha',
    'ChannelOrder',
    'Datatype',
    'Filter',
    'Fit',
    'ImageFormat',
    'Layout',
    'Numerics',
    'Orientation',
  ];
  const used = [...enums, 'TensorContainer'].filter((each) =>
    lines.some((line) => line.includes(`${each}.`)),
  );
  const names = [...used, 'ProcessorService'].sort().join(', ');
  const end = needsKey
    ? `}, { headers: { Authorization: \`Bearer \${process.env.${keyVariable}}\` } });`
    : '});';
  return [
    `import { ${image}writeFile } from 'node:fs/promises';`,
    "import { createClient } from '@connectrpc/connect';",
    "import { createConnectTransport } from '@connectrpc/connect-web';",
    `import { ${names} } from './gen/image/v1/processor_pb.ts';`,
    '',
    `const transport = createConnectTransport({ baseUrl: ${literal(api)} });`,
    'const client = createClient(ProcessorService, transport);',
    'const { content, contentType, width, height } = await client.process({',
    ...lines,
    end,
    `await writeFile(${literal(name)}, content);`,
    'console.log(contentType, width, height);',
  ].join('\n');
}

function ownLines(settings: Settings): string[] {
  const { resize, crop } = requestOf(settings);
  const filter = `filter: Filter.${settings.filter.toUpperCase()}`;
  const size =
    settings.sizing === 'shortest_edge'
      ? `shortestEdge: ${resize?.shortestEdge}`
      : `width: ${resize?.width}, height: ${resize?.height}, fit: Fit.${settings.fit.toUpperCase()}`;
  return [
    ...(resize === undefined ? [] : [`  resize: { ${size}, ${filter} },`]),
    ...(crop === undefined ? [] : [`  crop: { width: ${crop.width}, height: ${crop.height} },`]),
    `  grayscale: ${settings.grayscale},`,
    ...(settings.background === '' ? [] : [`  background: ${literal(settings.background.toLowerCase())},`]),
  ];
}

function outputLines(settings: Settings): string[] {
  const { output } = requestOf(settings);
  if (output.case === 'image') {
    const { quality } = output.value;
    const parts = [
      ...(settings.format === 'source' ? [] : [`format: ImageFormat.${settings.format.toUpperCase()}`]),
      ...(quality === 0 ? [] : [`quality: ${quality}`]),
    ];
    return parts.length === 0 && settings.recipe === 'own'
      ? []
      : [`  output: { case: 'image', value: { ${parts.join(', ')} } },`.replace('{  }', '{}')];
  }
  if (output.case !== 'tensor') return [];
  const { rescaleFactor, mean, std } = output.value;
  return [
    "  output: { case: 'tensor', value: {",
    `    datatype: Datatype.${settings.datatype.toUpperCase()},`,
    `    layout: Layout.${settings.layout.toUpperCase()},`,
    `    container: TensorContainer.${settings.container.toUpperCase()},`,
    ...(rescaleFactor === undefined ? [] : [`    rescaleFactor: ${rescaleFactor},`]),
    ...(mean.length === 0 ? [] : [`    mean: [${mean.join(', ')}],`]),
    ...(std.length === 0 ? [] : [`    std: [${std.join(', ')}],`]),
    ...(settings.recipe === 'preset'
      ? []
      : [`    channelOrder: ChannelOrder.${settings.channel_order.toUpperCase()},`]),
    '  } },',
  ];
}

function python(settings: Settings, { source, api, needsKey }: CallContext): string {
  const isArray = settings.output === 'tensor' && settings.container === 'npy';
  const options = optionsOf(settings).map(([name, value]) => `    ${literal(name)}: ${literal(value)},`);
  const headers = needsKey ? ', headers={"Authorization": "Bearer " + os.environ["IMAGE_API_KEY"]}' : '';
  const endpoint = literal(`${api}/v1/images`);
  const call =
    'url' in source
      ? [`response = requests.get(${endpoint}, params={"url": ${literal(source.url)}, **options}${headers})`]
      : [
          `with open(${literal(source.file)}, "rb") as image:`,
          `    response = requests.post(${endpoint}, params=options, files={"image": image}${headers})`,
        ];
  const end = isArray
    ? ['tensor = numpy.load(io.BytesIO(response.content))', 'print(tensor.shape, tensor.dtype)']
    : [
        `with open(${literal(outputName(settings, sourceName(source)))}, "wb") as output:`,
        '    output.write(response.content)',
        'print(response.headers["Content-Type"], len(response.content))',
      ];
  return [
    ...(isArray ? ['import io'] : []),
    ...(needsKey ? ['import os'] : []),
    ...(isArray || needsKey ? [''] : []),
    ...(isArray ? ['import numpy'] : []),
    'import requests',
    '',
    'options = {',
    ...options,
    '}',
    ...call,
    'if not response.ok:',
    '    raise SystemExit(response.text)',
    ...end,
  ].join('\n');
}

/** A string literal of TypeScript and of Python: both accept JSON's. */
function literal(text: string): string {
  return JSON.stringify(text);
}

function sourceName(source: CallContext['source']): string {
  if ('file' in source) return source.file;
  return URL.parse(source.url)?.pathname ?? '';
}
