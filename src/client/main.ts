import { constants } from 'node:os';
import packageJson from '../../package.json' with { type: 'json' };
import { readArguments } from './arguments.ts';
import { ClientError, exitCodes } from './client-error.ts';
import { type CommandName, flagsOf, isCommand, tableOf } from './commands.ts';
import { codeOf } from './files.ts';
import { parseFlags } from './flags.ts';
import { runSend } from './run-send.ts';
import { standWhereTheUserStands } from './working-folder.ts';

/** Prints a line to standard error. */
function say(text: string): void {
  // A problem's detail comes from the network; its control characters must not reach the terminal.
  process.stderr.write(`image-client: ${text.replace(/[\p{Cc}\s]+/gu, ' ').trim()}\n`);
}

const print = (line: string) => void process.stdout.write(`${line}\n`);

async function run(argv: readonly string[], signal: AbortSignal): Promise<keyof typeof exitCodes> {
  const [word, ...rest] = argv;
  if (word === 'help' && rest.length < 2) return await printHelp(isCommand(rest[0]) ? rest[0] : 'send');
  const name = isCommand(word) ? word : 'send';
  const parameters = name === 'send' ? argv : rest;
  const { values } = parseFlags(parameters, flagsOf(tableOf(name)));
  if (values.help === true) return await printHelp(name);
  if (values.version === true) {
    print(`image-client ${packageJson.version}`);
    return 'done';
  }
  const console = { print, say, screen: process.stderr };
  if (name === 'send') return await runSend(readArguments(parameters, process.env), console, signal);
  // The commands' own modules take longer to load than one image takes to send.
  const { runCommand } = await import('./run-command.ts');
  return await runCommand(name, parameters, console, signal);
}

async function printHelp(name: CommandName | 'send'): Promise<'done'> {
  const { commandHelp, styleFor } = await import('./help.ts');
  process.stdout.write(commandHelp(name, styleFor(process.stdout, process.env)));
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
// The reader closed the pipe, as `head` does. The write of an image reports it itself.
process.stdout.on('error', (error) => {
  if (codeOf(error) === 'EPIPE' && process.stdout.listenerCount('error') === 1) process.exit();
});

try {
  standWhereTheUserStands(process.env);
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
