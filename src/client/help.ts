import { nearestNames } from '../nearest-names.ts';
import { exitCodes } from './client-error.ts';
import { type CommandName, commands, isCommand, tableOf } from './commands.ts';
import { type Flags, imageFlags } from './flags.ts';

/** The text of a command's `--help`, made from its table. */
export function commandHelp(name: CommandName | 'send'): string {
  const { usage, about, flags, takesImageOptions, examples, exits } = tableOf(name);
  const exitRows = exits.map((end) => [String(exitCodes[end].code), exitCodes[end].meaning] as const);
  return `${usage.map((line, at) => `${at === 0 ? 'Usage:' : '      '} image-client ${line}`).join('\n')}

${about}
${name === 'send' ? `\nCommands; each has its own --help:\n\n${rows(commandRows())}\n` : ''}
${rows(flagRows(flags))}
${takesImageOptions ? `\n${wordsOfOptions(name)}\n\n${rows(flagRows(imageFlags))}\n` : ''}
Examples:

${rows(examples)}

Exit codes; an error is one line on standard error, "image-client: REASON: detail":

${rows(exitRows)}
`;
}

/** A hint for a first argument that may be a misplaced or misspelt command; empty for others. */
export function nearestCommand(word = ''): string {
  if (isCommand(word)) return `a command comes first, as in "image-client ${word} …"; `;
  const nearest = nearestNames(word, Object.keys(commands));
  return nearest.length === 0 ? '' : `did you mean the command ${nearest.join(' or ')}? `;
}

function commandRows(): (readonly [string, string])[] {
  return Object.entries(commands).map(([name, { summary }]) => [name, summary]);
}

function flagRows(flags: Flags): (readonly [string, string])[] {
  return Object.entries(flags).map(([flag, { no, value, help }]) => [
    `--${flag}${no === true ? `, --no-${flag}` : ''}${value === undefined ? '' : ` ${value}`}`,
    help,
  ]);
}

function wordsOfOptions(name: CommandName | 'send'): string {
  if (name === 'describe') return `Options of the image; those you omit take the service's defaults.`;
  return name === 'send'
    ? `Options of the image; those you omit take the service's defaults. Without --format the ending of OUTPUT
chooses the format: .jpg, .png, .webp, .npy, .safetensors or .npz. A value with a leading minus needs "=", as in --mean=-1.`
    : `Options of the images. Those you omit take the defaults of an image-api whose environment sets none:
1024 × 768 filled, bilinear, gray, in the source's format. A value with a leading minus needs "=".`;
}

function rows(lines: readonly (readonly [string, string])[]): string {
  const width = Math.max(...lines.map(([left]) => left.length));
  return lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
