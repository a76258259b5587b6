import type { SendArguments } from './arguments.ts';
import { checkOutput, readInput, writeOutput } from './files.ts';
import { misleads } from './output-format.ts';
import { type ImageResponse, send } from './send.ts';
import { summaryOf } from './summary.ts';

/**
 * Sends one image and writes the response.
 *
 * @param print - prints a line to standard output
 * @param say - prints a line to standard error
 * @throws ClientError
 */
export async function runSend(
  { source, output, options, overwrite, api, apiKey, password, timeoutMs, print: what }: SendArguments,
  { print, say }: { readonly print: (line: string) => void; readonly say: (line: string) => void },
  signal: AbortSignal,
): Promise<'done'> {
  await checkOutput('path' in source ? source.path : undefined, output, overwrite);
  const image = 'path' in source ? await readInput(source.path, signal) : source;
  const response = await send(api, image, options, timeoutMs, signal, apiKey, password);
  await writeOutput(output, response.content, overwrite, signal);
  if (what !== 'nothing' && misleads(output, response.contentType)) {
    say(`warning: ${output} contains ${response.contentType}`);
  }
  if (what === 'details') report(response, say);
  if (what === 'json') print(JSON.stringify(summaryOf(output, response)));
  return 'done';
}

function report({ content, contentType, headers }: ImageResponse, say: (line: string) => void): void {
  const width = headers.get('image-width');
  const size = width === null ? '' : `, ${width} × ${headers.get('image-height')} pixels`;
  say(`${content.length} bytes of ${contentType}${size}`);
  for (const [name, label] of [
    ['cache-status', 'cache'],
    ['server-timing', 'stages'],
  ] as const) {
    const value = headers.get(name);
    if (value !== null) say(`${label}: ${value}`);
  }
}
