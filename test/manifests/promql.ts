/** A series that a query asks for: its name, and the labels that it is matched by. */
export interface Selector {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
}

const keywords = [
  'by',
  'without',
  'on',
  'ignoring',
  'group_left',
  'group_right',
  'and',
  'or',
  'unless',
  'bool',
];

/** The series that a PromQL query asks for. It reads the queries of this repository, not all that there may be. */
export function selectorsOf(query: string): Selector[] {
  const texts: string[] = [];
  const bare = query
    .replace(/"(?:[^"\\]|\\.)*"/g, (text) => `‹${texts.push(text.slice(1, -1)) - 1}›`)
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, '')
    .replace(/\[[^\]]*\]/g, '');
  return [...bare.matchAll(/([a-zA-Z_:][\w:]*)\s*(\(|\{[^}]*\})?/g)]
    .filter(([, name = '', next = '']) => next !== '(' && !keywords.includes(name))
    .map(([, metric = '', matchers = '']) => ({
      metric,
      labels: Object.fromEntries(
        [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*‹(\d+)›/g)].map(([, label = '', at]) => [
          label,
          texts[Number(at)] ?? '',
        ]),
      ),
    }));
}
