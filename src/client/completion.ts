import { type CommandName, commands, flagsOf, tableOf } from './commands.ts';
import { type Flag, parseFlags, usage } from './flags.ts';
import type { CommandTable } from './tables/command-table.ts';
import { shells } from './tables/service-commands.ts';

type Shell = (typeof shells)[number];

/**
 * Reads the command line of `completion`.
 *
 * @throws ClientError of bad usage
 */
export function readShell(argv: readonly string[]): Shell {
  const { positionals } = parseFlags(argv, flagsOf(tableOf('completion')));
  const shell = shells.find((name) => name === positionals[0]);
  if (shell !== undefined && positionals.length === 1) return shell;
  const given = positionals.length === 0 ? 'nothing' : `"${positionals.join(' ')}"`;
  throw usage(`A shell is needed (${shells.join(', ')}), got ${given}; see completion --help.`);
}

/** The completion script of a shell, made from the tables of the commands. */
export function completionScript(shell: Shell): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell]();
}

const names = ['send', ...(Object.keys(commands) as CommandName[])] as const;

/** A flag with its dashes, and the completions of its value. */
interface ShellFlag {
  readonly flag: string;
  /** Its short form, as `-h`; empty for none. */
  readonly short: string;
  readonly help: string;
  /** The words of its value; empty for other values, undefined for a flag without a value. */
  readonly words?: readonly string[];
  /** The completions of a value that has no words. */
  readonly completes: Flag['completes'];
}

function shellFlags(name: CommandName | 'send'): ShellFlag[] {
  return Object.entries(flagsOf(tableOf(name))).flatMap(
    ([flag, { type, short, no, help, words, completes }]) => {
      const first: ShellFlag = {
        flag: `--${flag}`,
        short: short === undefined ? '' : `-${short}`,
        help,
        ...(type === 'string' ? { words: words ?? [] } : {}),
        completes,
      };
      return no === true
        ? [first, { flag: `--no-${flag}`, short: '', help: `not: ${help}`, completes }]
        : [first];
    },
  );
}

function positionalsOf(name: CommandName | 'send'): CommandTable['positionals'] {
  return tableOf(name).positionals;
}

/** The command that prints the names of presets; nothing if image-api does not respond at once. */
const presetNames = (word: string) => `image-client presets --names --timeout 2 -- ${word} 2>/dev/null`;

/* bash and zsh call a function. zsh can run bash's, but its own completion also shows help. */

const bashPresets = `mapfile -t COMPREPLY < <(compgen -W "$(${presetNames('"$current"')})" -- "$current")`;

function bashScript(): string {
  const flags = names.map(
    (name) =>
      `    ${name}) flags="${shellFlags(name)
        .flatMap(({ flag, short }) => (short === '' ? [flag] : [short, flag]))
        .join(' ')}" ;;`,
  );
  return `# bash completion for image-client: source <(image-client completion bash)
_image_client() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command=send flags=
  # bash splits "--fit=co" into three words.
  if [[ $current == = ]]; then current=; elif [[ $previous == = ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  case "\${COMP_WORDS[1]}" in ${Object.keys(commands).join('|')}) ((COMP_CWORD > 1)) && command="\${COMP_WORDS[1]}" ;; esac
  COMPREPLY=()
  case "$command $previous" in
${valueCases({
  words: '    %) mapfile -t COMPREPLY < <(compgen -W "WORDS" -- "$current"); return ;;',
  folders: '    %) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;',
  files: '    %) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;',
  presets: `    %) ${bashPresets}; return ;;`,
  others: '    %) return ;;',
})}
  esac
  case "$command" in
${flags.join('\n')}
  esac
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$current")
    return
  fi
  case "$command" in
${names
  .map((name) => {
    const positionals = positionalsOf(name);
    if (positionals === 'presets') return `    ${name}) ${bashPresets} ;;`;
    const start =
      name === 'send'
        ? `((COMP_CWORD == 1)) && mapfile -t COMPREPLY < <(compgen -W "${Object.keys(commands).join(' ')}" -- "$current"); `
        : '';
    return positionals === 'files'
      ? `    ${name}) ${start}compopt -o filenames; mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current") ;;`
      : `    ${name}) mapfile -t COMPREPLY < <(compgen -W "${positionals.join(' ')}" -- "$current") ;;`;
  })
  .join('\n')}
  esac
}
complete -F _image_client image-client`;
}

/**
 * A `case` branch for every flag that takes a value, in the syntax that bash and zsh share.
 *
 * @param branches - by what the value completes to, each with `%` for the pattern
 */
function valueCases(
  branches: Readonly<Record<'words' | 'folders' | 'files' | 'presets' | 'others', string>>,
): string {
  return names
    .flatMap((name) =>
      shellFlags(name).flatMap(({ flag, short, words, completes }) => {
        if (words === undefined) return [];
        const branch = branches[completes ?? (words.length > 0 ? 'words' : 'others')];
        const pattern = [flag, short].filter(Boolean).map((one) => `"${name} ${one}"`);
        return [branch.replace('%', pattern.join('|')).replace('WORDS', words.join(' '))];
      }),
    )
    .join('\n');
}

const zshPresets = `compadd -- \${(f)"$(${presetNames('"$current"')})"}`;

function zshScript(): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const described = (rows: readonly (readonly [string, string])[]) =>
    rows.map(([word, help]) => quoted(`${word.replaceAll(':', '\\:')}:${help}`)).join(' ');
  const flags = names.map(
    (name) =>
      `    ${name}) flags=(${described(
        shellFlags(name).flatMap(({ flag, short, help }) =>
          [short, flag].filter(Boolean).map((one) => [one, help] as const),
        ),
      )}) ;;`,
  );
  const commandRows = Object.entries(commands).map(([name, { summary }]) => [name, summary] as const);
  return `#compdef image-client
# zsh completion for image-client: source <(image-client completion zsh)
_image_client() {
  local current="\${words[CURRENT]}" previous="\${words[CURRENT-1]}" command=send
  local -a flags
  case "\${words[2]}" in ${Object.keys(commands).join('|')}) ((CURRENT > 2)) && command="\${words[2]}" ;; esac
  case "$command $previous" in
${valueCases({
  words: '    %) compadd -- WORDS; return ;;',
  folders: '    %) _files -/; return ;;',
  files: '    %) _files; return ;;',
  presets: `    %) ${zshPresets}; return ;;`,
  others: '    %) return ;;',
})}
  esac
  case "$command" in
${flags.join('\n')}
  esac
  if [[ $current == -* ]]; then
    _describe -o flag flags
    return
  fi
  case "$command" in
${names
  .map((name) => {
    const positionals = positionalsOf(name);
    if (positionals === 'presets') return `    ${name}) ${zshPresets} ;;`;
    if (positionals !== 'files')
      return `    ${name}) ${positionals.length === 0 ? ':' : `compadd -- ${positionals.join(' ')}`} ;;`;
    const start = `((CURRENT == 2)) && { local -a first=(${described(commandRows)}); _describe command first; }; `;
    return `    ${name}) ${name === 'send' ? start : ''}_files ;;`;
  })
  .join('\n')}
  esac
}
compdef _image_client image-client`;
}

const fishPresets = `-x -a '(${presetNames('(commandline -ct | string replace -r "^--[a-z]+=" "")')})'`;

function fishScript(): string {
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const words = Object.keys(commands).join(' ');
  const isIn = (name: CommandName | 'send') =>
    name === 'send' ? `'not __fish_seen_subcommand_from ${words}'` : `'__fish_seen_subcommand_from ${name}'`;
  const lines = names.flatMap((name) => {
    const positionals = positionalsOf(name);
    const own =
      positionals === 'files'
        ? []
        : positionals === 'presets'
          ? [`complete -c image-client -n ${isIn(name)} ${fishPresets}`]
          : [`complete -c image-client -n ${isIn(name)} -f -a ${quoted(positionals.join(' '))}`];
    return [
      ...own,
      ...shellFlags(name).map(({ flag, short, help, words: values, completes }) => {
        const completed = {
          folders: " -x -a '(__fish_complete_directories)'",
          files: ' -r -F',
          presets: ` ${fishPresets}`,
          words: ` -x -a ${quoted((values ?? []).join(' '))}`,
        };
        const value = values === undefined ? '' : completed[completes ?? 'words'];
        return `complete -c image-client -n ${isIn(name)} ${short === '' ? '' : `-s ${short.slice(1)} `}-l ${flag.slice(2)}${value} -d ${quoted(help)}`;
      }),
    ];
  });
  const first = Object.entries(commands).map(
    ([name, { summary }]) =>
      `complete -c image-client -n __fish_is_first_arg -a ${name} -d ${quoted(summary)}`,
  );
  return [
    '# fish completion for image-client: image-client completion fish | source',
    ...first,
    ...lines,
  ].join('\n');
}
