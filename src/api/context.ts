import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Failure } from '../failures.ts';
import type { TracePlace } from '../telemetry/trace-context.ts';

/** The context of a request: Node's own request and response, and values for the access log. */
export interface ApiEnv {
  Bindings: HttpBindings;
  Variables: {
    /** The caller's X-Request-Id, or a generated one. */
    requestId: string;
    /** Its place in a trace: our own span, or the caller's while we trace nothing. */
    trace: TracePlace | undefined;
    /** Why the request failed, if it did. */
    failure?: Failure;
    /** The name that limits per caller count by: the API key's, or that of the client's address. See caller.ts. */
    callerName: string;
    /** The id of the API key or of the link's secret with which the caller authenticated; undefined without authentication. */
    caller?: { readonly key_id: string } | { readonly link_id: string };
    /** How long caches may keep the response, where a signed link asks for it. */
    maxAgeSeconds?: number;
    /** Whether no cache may keep the response. */
    isConfidential?: boolean;
    /** Query parameters that are already used and are not options of the image. */
    spentParameters?: readonly string[];
  };
}

export type ApiContext = Context<ApiEnv>;
