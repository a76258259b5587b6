import { figures, stepTable } from '../comparison-words.ts';
import { toleranceWords } from '../tolerance.ts';
import { type CheckResult, countsOf, type Outcome, passes, problemOf } from './outcome.ts';

/*
 * JUnit XML as GitLab, Jenkins and the report actions of GitHub read it: https://github.com/testmoapp/junitxml. A pair
 * that differs is a failure; one that could not be compared is an error.
 */

/** The report of a check as JUnit XML. */
export function junitXml({ list, outcomes, seconds }: CheckResult): string {
  const { different, failed } = countsOf(outcomes);
  const counts = {
    tests: outcomes.length,
    failures: different,
    errors: failed,
    skipped: 0,
    time: seconds.toFixed(3),
  };
  const name = list === '-' ? 'standard input' : list;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: 'image-client skew', ...counts })}>`,
    `  <testsuite${attributes({ name, ...counts })}>`,
    ...outcomes.map((outcome) => testcase(outcome, name)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function testcase(outcome: Outcome, list: string): string {
  const { name, line } = outcome.pair;
  const ms =
    'response' in outcome ? outcome.response.stages.reduce((sum, stage) => sum + stage.durationMs, 0) : 0;
  const open = `    <testcase${attributes({ classname: list, name, file: list, line, time: (ms / 1000).toFixed(3) })}`;
  if (passes(outcome)) return `${open}/>`;
  const [element, type] =
    outcome.verdict === 'failed' ? ['error', outcome.failure.reason] : ['failure', 'SKEW'];
  return [
    `${open}>`,
    `      <${element}${attributes({ message: problemOf(outcome), type })}>${escaped(detailsOf(outcome))}</${element}>`,
    '    </testcase>',
  ].join('\n');
}

/** The text of a failure: the sentence, the files, the steps, the figures. */
function detailsOf(outcome: Outcome): string {
  const { image, tensor, preset, tolerance } = outcome.pair;
  const files = [
    ['image', image],
    ['tensor', tensor],
    ['preset', preset],
  ].filter(([, value]) => value !== '');
  const lines = [problemOf(outcome), '', ...files.map(([label, value]) => `${label}: ${value}`)];
  if (outcome.verdict === 'failed') return lines.join('\n');
  const { response } = outcome;
  if (tolerance !== undefined) lines.push(toleranceWords(response, tolerance));
  const { steps = [] } = response.cause ?? {};
  if (steps.length > 0) lines.push('', stepTable(steps));
  return [...lines, '', figures(response)].join('\n');
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(
      ([name, value]) =>
        ` ${name}="${escaped(String(value)).replace(/[\t\n\r]/g, (space) => `&#${space.charCodeAt(0)};`)}"`,
    )
    .join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** A text in XML 1.0. Characters that it cannot contain, such as the rest of a terminal's colours, become U+FFFD. */
function escaped(text: string): string {
  return (
    text
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to replace
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replace(/[&<>"]/g, (character) => entities[character] ?? character)
  );
}
