import { nearestNames } from '../nearest-names.ts';
import { type Flags, imageFlags } from './flags.ts';
import type { CommandTable } from './tables/command-table.ts';
import { corpus } from './tables/corpus.ts';
import { job } from './tables/job.ts';
import { describe, send } from './tables/send.ts';
import { completion, doctor, presets } from './tables/service-commands.ts';
import { skew } from './tables/skew.ts';

/** The commands by their names. */
export const commands = { job, corpus, describe, skew, presets, doctor, completion } as const;

export type CommandName = keyof typeof commands;

/** Whether the first word of a command line is a command. A file of that name is given as `./job`. */
export function isCommand(word: string | undefined): word is CommandName {
  return word !== undefined && Object.hasOwn(commands, word);
}

/** The table of a command; `send` is the one without a name. */
export function tableOf(name: CommandName | 'send'): CommandTable {
  return name === 'send' ? send : commands[name];
}

/** All flags of a command, the image options among them. */
export function flagsOf({ flags, takesImageOptions }: CommandTable): Flags {
  return takesImageOptions ? { ...flags, ...imageFlags } : flags;
}

/** A hint for a first argument that may be a misplaced or misspelt command; empty for others. */
export function nearestCommand(word = ''): string {
  if (isCommand(word)) return `a command comes first, as in "image-client ${word} …"; `;
  const nearest = nearestNames(word, Object.keys(commands));
  return nearest.length === 0 ? '' : `did you mean the command ${nearest.join(' or ')}? `;
}
