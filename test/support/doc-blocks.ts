/*
 * The fenced blocks of a page of Markdown, as a reader understands them: programs, their output, and data.
 */

/** A fenced block. */
export interface DocBlock {
  /** The page's path from the root of the repository. */
  readonly page: string;
  /** Of its opening fence, from 1. */
  readonly line: number;
  /** The word behind the fence; `console` or `sh` for a block without one that begins with a command. */
  readonly language: string;
  /** Without the indentation that its fence has. */
  readonly text: string;
  /** The output that the page shows: the block without a language right after it. */
  readonly output: string | undefined;
}

/** Commands with which a block without a language must not begin. */
const commandStart =
  /^(npm|npx|node|curl|grpcurl|buf|kubectl|minikube|docker|python3?|pip|image-client|git|sh|bash|export|cat|echo) /;

/** All fenced blocks of a page in their order. Blocks that are another's output are with that one. */
export function blocksOf(page: string, markdown: string): DocBlock[] {
  const fences = [...markdown.matchAll(/^( *)(`{3,})([\w-]*)[^\n]*\n(.*?)^\1\2 *$/gms)];
  const blocks: DocBlock[] = [];
  let taken: RegExpExecArray | undefined;
  for (const [at, fence] of fences.entries()) {
    if (fence === taken) continue;
    const [whole, indent = '', , named = '', body = ''] = fence;
    const text = body.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    const language = named === '' ? guessed(text) : named;
    const next = fences[at + 1];
    const between = next && markdown.slice(fence.index + whole.length, next.index);
    const isFollowedByOutput =
      language !== '' && next?.[3] === '' && between?.trim() === '' && guessed(next[4] ?? '') === '';
    taken = isFollowedByOutput ? next : undefined;
    blocks.push({
      page,
      line: markdown.slice(0, fence.index).split('\n').length,
      language,
      text,
      output: isFollowedByOutput ? next?.[4]?.replaceAll(new RegExp(`^${next[1]}`, 'gm'), '') : undefined,
    });
  }
  return blocks;
}

function guessed(text: string): string {
  if (text.startsWith('$ ')) return 'console';
  return commandStart.test(text) ? 'sh' : '';
}

/** A command of a console block and its output. */
export interface ConsoleCommand {
  readonly command: string;
  readonly expected: string;
}

/** The commands of a console block: after `$ `, and further lines where one ends in `\` or `|`. */
export function commandsOf(text: string): ConsoleCommand[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = ''] = /^(?:.*[\\|]\n)*.*\n/.exec(part) ?? [];
      return { command: command.trim(), expected: part.slice(command.length) };
    });
}

/**
 * The output that a page shows, as a pattern: an ellipsis matches anything, and so do figures and ids that differ from
 * run to run (durations of Server-Timing, UUIDs).
 */
export function patternOf(expected: string): RegExp {
  const escaped = expected
    .trimEnd()
    .split('…')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('.*?');
  const varying = escaped
    .replaceAll(/dur=[\d\\.]+/g, 'dur=[\\d.]+')
    .replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, '[\\da-f-]{36}');
  return new RegExp(`^${varying}\\s*$`, 's');
}
