import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import { type FailureReason, failureKinds, retryAfterSeconds } from '../../failures.ts';
import type { Playground } from '../playground.ts';
import { failureTexts } from './failure-texts.ts';
import { describeProblem } from './problem.ts';

/** HTML of hono's tagged template, which escapes values. None of ours waits for a promise. */
type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** The frame of a page: that of the playground's build, or a bare one where it is not built. */
export function problemFrame(playground: Playground): string {
  const built = playground.get('problems.html')?.find(({ coding }) => coding === 'identity');
  if (built !== undefined) return new TextDecoder().decode(built.bytes);
  return '<!doctype html><html lang="en"><title>{{title}}</title><main class="page">{{content}}</main></html>';
}

/** @param root - the relative path of the service's root */
export function inFrame(frame: string, root: string, title: string, content: Html): string {
  const values = new Map([
    ['root', root],
    ['title', String(html`${title}`)],
    ['content', String(content)],
  ]);
  return frame.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => values.get(name) ?? '');
}

/** All reasons by their HTTP status. */
export function indexPage(): Html {
  const rows = Object.entries(failureKinds).map(
    ([reason, { status, title, isRetryable }]) =>
      html`<tr><th scope="row"><a href="problems/${reason}"><code>${reason}</code></a></th><td>${status}</td><td>${isRetryable ? 'can help' : ''}</td><td>${title}</td></tr>`,
  );
  return html`<h1>Errors</h1>
<p class="lead">The reasons with which a request can fail. Programs match on the reason, which never changes.</p>
<div class="operation"><div class="scrolling" tabindex="0" role="region" aria-label="Reasons">
<table class="reference-table">
<thead><tr><th scope="col">Reason</th><th scope="col">HTTP</th><th scope="col">Retry</th><th scope="col">Meaning</th></tr></thead>
<tbody>${rows}</tbody>
</table></div></div>`;
}

/** One reason. */
export function reasonPage(reason: FailureReason): Html {
  const { title, status, isRetryable } = failureKinds[reason];
  const { meaning, advice } = failureTexts[reason];
  const { example, metadata } = describeProblem(reason);
  const seconds = retryAfterSeconds[reason];
  const members = Object.entries(metadata);
  return html`<h1>${title}</h1>
<p class="lead"><code>${reason}</code> · HTTP status ${status}</p>
<section class="operation"><h2>What it means</h2><p>${sentence(meaning)}</p></section>
<section class="operation"><h2>What to do</h2>${advice === '' ? '' : html`<p>${sentence(advice)}</p>`}
<p>${
    isRetryable
      ? html`The same request can succeed later. ${seconds === undefined ? 'Wait as long as <code>Retry-After</code> states, or double the wait each time.' : html`Wait ${seconds} s, or as long as <code>Retry-After</code> states.`}`
      : 'The same request fails again: change it first.'
  }</p></section>
${
  example === undefined
    ? ''
    : html`<section class="operation"><h2>Example</h2><div class="media"><pre class="scrolling" tabindex="0" role="region" aria-label="Example">${JSON.stringify(example, null, 2)}</pre></div></section>`
}
${
  members.length === 0
    ? ''
    : html`<section class="operation"><h2>Members of <code>metadata</code></h2><dl class="rows">${members.map(([name, text]) => html`<div><dt><code>${name}</code></dt><dd>${text}</dd></div>`)}</dl></section>`
}
<p class="note"><a href="../problems">All reasons</a>. Programs get this page as JSON with <code>Accept: application/json</code>.</p>`;
}

/** For a reason that does not exist. */
export function unknownReasonPage(message: string, nearest: readonly string[]): Html {
  return html`<h1>There is no such reason</h1>
<p class="lead">${message}</p>
${nearest.map((reason) => html`<p><a href="../problems/${reason}"><code>${reason}</code></a>: ${failureKinds[reason as FailureReason].title}</p>`)}
<p><a href="../problems">All reasons</a></p>`;
}

/** A phrase with code marks as a sentence of HTML. */
function sentence(phrase: string): Html {
  const capital = phrase.replace(/^[a-z]/, (letter) => letter.toUpperCase());
  const parts = capital
    .split('`')
    .map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));
  return html`${parts}${/[.\u2026]$/.test(capital) ? '' : '.'}`;
}
