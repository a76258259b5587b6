import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Failure } from '../failures.ts';

/** What a request carries through the app: Node's own request and response, and what the access log tells. */
export interface ApiEnv {
  Bindings: HttpBindings;
  Variables: {
    /** The caller's X-Request-Id, or one made here. */
    requestId: string;
    /** Why the request failed, if it did. */
    failure?: Failure;
  };
}

export type ApiContext = Context<ApiEnv>;
