import { styleText } from 'node:util';
import { imageFormats, tensorContainers } from '../options/image-options.ts';
import { exitCodes } from './client-error.ts';
import { type CommandName, commands, flagsOf, tableOf } from './commands.ts';
import { type Flag, type FlagGroup, type Flags, flagGroups } from './flags.ts';
import { variables } from './tables/command-table.ts';

/** The formats that every service reads, and those that some read. */
export const readFormats = ['JPEG', 'PNG', 'WebP', 'AVIF', 'GIF', 'TIFF', 'BMP', 'PDF'] as const;
export const optionalFormats = ['HEIC', 'JXL'] as const;

/** How help is printed. */
export interface HelpStyle {
  /** Characters of a line, at most. */
  readonly width: number;
  /** Whether headings are bold. */
  readonly isBold: boolean;
}

/** The style for a stream: the terminal's width up to 100 and bold headings, elsewhere 80 characters and plain text. */
export function styleFor(
  stream: { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined },
  environment: Readonly<Record<string, string | undefined>>,
): HelpStyle {
  const isTerminal = stream.isTTY === true;
  // Some terminals report 0 columns.
  const width = (isTerminal && stream.columns) || Number(environment.COLUMNS) || 80;
  const isBold = isTerminal && !environment.NO_COLOR && environment.TERM !== 'dumb';
  return { width: Math.min(100, Math.max(60, width)), isBold };
}

/** The text of a command's `--help`, made from its table. */
export function commandHelp(name: CommandName | 'send', style: HelpStyle): string {
  const table = tableOf(name);
  const { usage, about, notes, examples, exits, takesImageOptions, environment } = table;
  const heading = (text: string) =>
    style.isBold ? styleText('bold', text, { validateStream: false }) : text;
  const section = (title: string, lines: string) =>
    lines === '' ? [] : [`${heading(`${title}:`)}\n${lines}`];
  const rows = (pairs: readonly (readonly [string, string])[]) => rowsOf(pairs, style.width);
  const text = (paragraph: string) => wrapped(paragraph, style.width).join('\n');
  const ends = exits.map((end) => [String(exitCodes[end].code), exitCodes[end].meaning] as const);
  return `${[
    usage.map((line, at) => `${at === 0 ? heading('Usage:') : '      '} image-client ${line}`).join('\n'),
    ...about.map(text),
    ...(name === 'send' ? section('Commands, each with its own --help', rows(commandRows())) : []),
    ...(Object.keys(flagGroups) as FlagGroup[]).flatMap((group) =>
      section(flagGroups[group], rows(flagRows(flagsOf(table), group))),
    ),
    ...notes.map(text),
    ...section('Examples', exampleLines(examples, style.width)),
    ...(takesImageOptions ? [...section('Formats', rows(formatRows()))] : []),
    ...section('Exit codes', rows(ends)),
    text('An error is one line on standard error: "image-client: REASON: detail".'),
    ...section('Environment', rows(environment.map((variable) => [variable, variables[variable]]))),
  ].join('\n\n')}\n`;
}

function commandRows(): (readonly [string, string])[] {
  return Object.entries(commands).map(([name, { summary }]) => [name, summary]);
}

function flagRows(flags: Flags, group: FlagGroup): (readonly [string, string])[] {
  const rows = Object.entries(flags).filter(([, flag]) => flag.group === group);
  const isAnyShort = rows.some(([, { short }]) => short !== undefined);
  return rows.map(([name, flag]) => [
    `${flag.short === undefined ? (isAnyShort ? '    ' : '') : `-${flag.short}, `}${flagWords(name, flag)}`,
    flag.help,
  ]);
}

/** A flag as people write it: `--grayscale, --no-grayscale`, `--width VALUE`. */
export function flagWords(name: string, { no, value }: Flag): string {
  return `--${name}${no === true ? `, --no-${name}` : ''}${value === undefined ? '' : ` ${value}`}`;
}

/** The formats that are read and written. */
function formatRows(): (readonly [string, string])[] {
  return [
    ['read', `${readFormats.join(', ')}; ${optionalFormats.join(' and ')} where the service has them`],
    ['images written', imageFormats.join(', ')],
    ['tensors written', tensorContainers.join(', ')],
  ];
}

/** Examples with their descriptions beside them, or below them where a line is too long. */
function exampleLines(examples: readonly (readonly [string, string])[], width: number): string {
  return examples
    .map(([line, does]) => {
      const one = `  ${line}  # ${does}`;
      return one.length <= width ? one : `  # ${does}\n  ${line}`;
    })
    .join('\n');
}

/** Two columns. The right one is wrapped, and begins on a line of its own where the left one is too long. */
function rowsOf(lines: readonly (readonly [string, string])[], columns: number): string {
  const left = Math.min(28, Math.max(0, ...lines.map(([first]) => first.length)));
  return lines
    .flatMap(([first, second]) => {
      const words = wrapped(second, columns - left - 4);
      const beside =
        first.length <= left ? [`  ${first.padEnd(left)}  ${words.shift() ?? ''}`] : [`  ${first}`];
      return [...beside, ...words.map((line) => `${' '.repeat(left + 4)}${line}`)];
    })
    .join('\n');
}

/** A text in lines of at most so many characters; a longer word is a line of its own. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
