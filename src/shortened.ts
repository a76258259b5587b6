/** A caller's text, short enough to be quoted in a failure, which travels in HTTP/2 headers. */
export function shortened(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}
