import { constants } from 'node:os';
import packageJson from '../../package.json' with { type: 'json' };
import { helpText, readArguments } from './arguments.ts';
import { ClientError, exitCodes } from './client-error.ts';
import { isCommand } from './commands.ts';
import { checkOutput, readInput, writeOutput } from './files.ts';
import { misleads } from './output-format.ts';
import { type ImageResponse, send } from './send.ts';

/** Prints a line to standard error. */
function say(text: string): void {
  // A problem's detail comes from the network; its control characters must not reach the terminal.
  process.stderr.write(`image-client: ${text.replace(/[\p{Cc}\s]+/gu, ' ').trim()}\n`);
}

function report({ content, contentType, headers }: ImageResponse): void {
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

async function run(argv: readonly string[], signal: AbortSignal): Promise<keyof typeof exitCodes> {
  const [word] = argv;
  // The commands' own modules take longer to load than one image takes to send.
  if (isCommand(word)) {
    const { runCommand } = await import('./run-command.ts');
    return await runCommand(word, argv.slice(1), say, signal);
  }
  const command = readArguments(argv, process.env.IMAGE_API_URL, process.env.IMAGE_API_KEY);
  if (command.kind === 'help') {
    process.stdout.write(helpText());
    return 'done';
  }
  if (command.kind === 'version') {
    process.stdout.write(`image-client ${packageJson.version}\n`);
    return 'done';
  }
  const { output, options, api, timeoutMs, apiKey } = command;
  await checkOutput('path' in command.source ? command.source.path : undefined, output);
  const source = 'path' in command.source ? await readInput(command.source.path, signal) : command.source;
  const response = await send(api, source, options, timeoutMs, signal, apiKey);
  await writeOutput(output, response.content, signal);
  if (misleads(output, response.contentType)) say(`warning: ${output} contains ${response.contentType}`);
  if (command.verbose) report(response);
  return 'done';
}

const interruption = new AbortController();
let interruptedBy: NodeJS.Signals | undefined;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    interruptedBy ??= name;
    interruption.abort();
  });
}

try {
  process.exitCode = exitCodes[await run(process.argv.slice(2), interruption.signal)].code;
} catch (error) {
  if (interruptedBy !== undefined) {
    const hasMessage = error instanceof ClientError && error.end === 'interrupted';
    say(`INTERRUPTED: ${hasMessage ? error.message : 'nothing was written.'}`);
    process.exitCode = 128 + constants.signals[interruptedBy];
  } else if (error instanceof ClientError) {
    say(`${error.reason}: ${error.message}`);
    process.exitCode = exitCodes[error.end].code;
  } else {
    say(`UNEXPECTED: ${String(error)}`);
    process.exitCode = exitCodes.unexpected.code;
  }
  // Pending reads, such as of standard input, would keep the process alive.
  process.exit();
}
