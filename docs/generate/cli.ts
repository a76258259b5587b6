import { exitCodes } from '../../src/client/client-error.ts';
import { type CommandName, commands, tableOf } from '../../src/client/commands.ts';
import { flagWords } from '../../src/client/help.ts';
import { variables } from '../../src/client/tables/command-table.ts';
import { code, table } from './markdown.ts';

/* The tables of docs/cli.md, out of the tables of the commands. */

const names = ['send', ...(Object.keys(commands) as CommandName[])] as const;

const nameOf = (name: CommandName | 'send') => (name === 'send' ? 'one image' : code(name));

export function commandTable(): string {
  const rows = names.map((name) => {
    const { usage, summary } = tableOf(name);
    return [code(`image-client ${usage[0]}`), summary];
  });
  return table(['command', 'what it does'], rows);
}

/** A table of each command's own flags. */
export function flagTables(): string {
  return names
    .map((name) => {
      const { flags, takesImageOptions } = tableOf(name);
      const rows = Object.entries(flags).map(([word, flag]) => {
        const forms = [
          ...(flag.short === undefined ? [] : [`-${flag.short}`]),
          ...flagWords(word, flag).split(', '),
        ];
        return [forms.map(code).join(', '), flag.help];
      });
      const title = name === 'send' ? 'One image' : code(name);
      const also = takesImageOptions
        ? '\n\nAlso the [options](options.md), with dashes: `crop_width` is `--crop-width`.'
        : '';
      return `### ${title}\n\n${table(['flag', 'what it does'], rows)}${also}`;
    })
    .join('\n\n');
}

export function exitTable(): string {
  const rows = Object.entries(exitCodes).map(([end, { code: exit, meaning }]) => {
    const of = names.filter((name) => tableOf(name).exits.some((one) => one === end));
    return [String(exit), meaning, of.length === names.length ? 'all' : of.map(nameOf).join(', ')];
  });
  return table(
    ['code', 'meaning', 'of'],
    rows.toSorted(([a], [b]) => Number(a) - Number(b)),
  );
}

export function variableTable(): string {
  return table(
    ['variable', 'meaning'],
    Object.entries(variables).map(([name, meaning]) => [code(name), meaning]),
  );
}
