/** Header lines by lower-case name, as undici has them: a repeated header is an array. */
type HeaderLines = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Directives of X-Robots-Tag that forbid machine learning. */
const forbidding: ReadonlySet<string> = new Set(['noai', 'noimageai']);

/** Directives that contain a colon themselves: what precedes it is not the name of an agent. */
const valued: ReadonlySet<string> = new Set([
  'max-image-preview',
  'max-snippet',
  'max-video-preview',
  'unavailable_after',
]);

/** The longest text of an opt-out that is kept, in characters. */
const maxTextLength = 200;

/**
 * The opt-out of a response from machine learning; undefined where it has none. Two headers state one:
 *
 * - X-Robots-Tag with the directive `noai` or `noimageai`. Its form is Google's: a line may begin with the name of the
 *   agent that it concerns, `otherbot: noai`.
 * - TDM-Reservation with 1, of the TDM Reservation Protocol (W3C community group report of 2024).
 *
 * @param agent - our User-Agent; agents are named by its first product without the version
 * @returns the header line, for a message
 */
export function optOutOf(headers: HeaderLines, agent = ''): string | undefined {
  const name = agent.split(/[/\s]/, 1)[0]?.toLowerCase() ?? '';
  const robots = linesOf(headers['x-robots-tag']).find((line) => forbids(line, name));
  if (robots !== undefined) return `X-Robots-Tag: ${robots}`.slice(0, maxTextLength);
  const isReserved = linesOf(headers['tdm-reservation']).some((line) => line.trim() === '1');
  return isReserved ? 'TDM-Reservation: 1' : undefined;
}

function linesOf(value: HeaderLines[string]): readonly string[] {
  return value === undefined ? [] : [value].flat();
}

/**
 * Whether a line of X-Robots-Tag contains a directive that forbids machine learning to an agent. An agent's name before a
 * colon applies to the directives after it, up to the next name: proxies join lines with commas.
 *
 * @param agent - in lower case
 */
function forbids(line: string, agent: string): boolean {
  let isOurs = true;
  for (const part of line.toLowerCase().split(',')) {
    const [, before, after = ''] = /^([^:]*):(.*)$/s.exec(part) ?? [];
    const name = before?.trim();
    const isNamed = name !== undefined && !valued.has(name);
    if (isNamed) isOurs = name === agent || name === '*';
    const directive = (isNamed ? after : part).trim();
    if (isOurs && forbidding.has(directive)) return true;
  }
  return false;
}
