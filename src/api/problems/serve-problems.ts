import { hash } from 'node:crypto';
import { Failure, failureKinds, isFailureReason } from '../../failures.ts';
import { nearestNames } from '../../nearest-names.ts';
import type { ApiContext } from '../context.ts';
import { matches } from '../entity-tag.ts';
import { negotiate } from '../negotiate.ts';
import { type Playground, setPageHeaders } from '../playground.ts';
import { describeProblem, noteFailure, problemPath, writeProblem } from './problem.ts';
import { indexPage, inFrame, problemFrame, reasonPage, unknownReasonPage } from './problem-pages.ts';

const reasonsByLowerCase = new Map(Object.keys(failureKinds).map((reason) => [reason.toLowerCase(), reason]));

/** The pages of the reasons, as JSON for programs and as HTML for browsers, which prefer it. */
export function serveProblems(playground: Playground) {
  const frame = problemFrame(playground);
  const types = ['application/json', 'text/html'] as const;
  return {
    /** `GET /problems`. */
    index(c: ApiContext): Response {
      return negotiate(c, types) === 'text/html'
        ? writePage(c, inFrame(frame, './', 'Errors', indexPage()))
        : write(c, 'application/json', JSON.stringify({ problems: allProblems() }));
    },
    /** `GET /problems/{reason}`. A problem, or a page with its detail, for an unknown reason. */
    reason(c: ApiContext): Response {
      const reason = c.req.param('reason') ?? '';
      const isPage = negotiate(c, types) === 'text/html';
      if (isFailureReason(reason)) {
        return isPage
          ? writePage(c, inFrame(frame, '../', failureKinds[reason].title, reasonPage(reason)))
          : write(c, 'application/json', JSON.stringify(describeProblem(reason)));
      }
      const { failure, nearest } = unknownReason(reason);
      if (!isPage) return writeProblem(c, failure);
      noteFailure(c, failure);
      setPageHeaders(c);
      c.header('Cache-Control', 'no-store');
      const page = unknownReasonPage(failure.message, nearest);
      return c.html(inFrame(frame, '../', 'There is no such reason', page), 404);
    },
  };
}

function allProblems() {
  return Object.keys(failureKinds).filter(isFailureReason).map(describeProblem);
}

function unknownReason(reason: string): { readonly failure: Failure; readonly nearest: readonly string[] } {
  const nearest = nearestNames(reason, [...reasonsByLowerCase.keys()]).map(
    (name) => reasonsByLowerCase.get(name) ?? name,
  );
  const actual = reason.slice(0, 100);
  const guess = nearest.length === 0 ? '' : ` Nearest to it: ${nearest.join(', ')}.`;
  const failure = new Failure(
    'ROUTE_UNKNOWN',
    `There is no reason "${actual}".${guess} ${problemPath} lists all reasons.`,
    { actual, ...(nearest.length > 0 && { nearest: nearest.join(', ') }) },
  );
  return { failure, nearest };
}

function writePage(c: ApiContext, page: string): Response {
  setPageHeaders(c);
  return write(c, 'text/html; charset=utf-8', page);
}

/** Caches may keep it, but ask whether it is still the same: another version of the service may say more. */
function write(c: ApiContext, contentType: string, text: string): Response {
  const etag = `"${hash('sha256', text)}"`;
  c.header('ETag', etag);
  c.header('Cache-Control', 'public, no-cache');
  if (matches(c.req.header('if-none-match'), etag)) return c.body(null, 304);
  c.header('Content-Type', contentType);
  return c.body(text);
}
