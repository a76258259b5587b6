import { readdirSync, readFileSync } from 'node:fs';
import { Code, ConnectError, createContextValues, createHandlerContext } from '@connectrpc/connect';
import {
  createMethodUrl,
  invokeUnaryImplementation,
  universalServerResponseToFetch,
} from '@connectrpc/connect/protocol';
import {
  codeFromHttpStatus,
  requestHeader as connectRequestHeader,
  errorFromJsonBytes,
  errorToJson,
} from '@connectrpc/connect/protocol-connect';
import {
  findTrailerError,
  parseTimeout,
  requestHeader,
  setTrailerStatus,
  validateResponse,
  validateTrailer,
} from '@connectrpc/connect/protocol-grpc';
import { describe, expect, it } from 'vitest';
import { Health, HealthCheckResponse_ServingStatus as Status } from '../../gen/grpc/health/v1/health_pb.ts';

/*
 * The imports of src/ from Connect's protocol modules, which do not follow semantic versioning. Each has a test of the behaviour
 * that we rely on, so that an update of Connect that changes it fails here and not in a service.
 */

const { check: method } = Health.method;
const headers = (init: Record<string, string> = {}) => new Headers(init);

const internals: Readonly<Record<string, () => unknown>> = {
  codeFromHttpStatus() {
    expect(codeFromHttpStatus(401)).toBe(Code.Unauthenticated);
    expect(codeFromHttpStatus(429)).toBe(Code.Unavailable);
    expect(codeFromHttpStatus(503)).toBe(Code.Unavailable);
  },
  createMethodUrl() {
    expect(createMethodUrl('http://a:1', method)).toBe('http://a:1/grpc.health.v1.Health/Check');
    expect(createMethodUrl('/', method)).toBe('/grpc.health.v1.Health/Check');
  },
  errorFromJsonBytes() {
    const bytes = Buffer.from('{"code":"resource_exhausted","message":"full"}');
    const fallback = new ConnectError('HTTP 503', Code.Unavailable);
    const error = errorFromJsonBytes(bytes, headers({ 'retry-after': '7' }), fallback);
    expect(error).toMatchObject({ code: Code.ResourceExhausted, rawMessage: 'full' });
    expect(error.metadata.get('retry-after')).toBe('7');
    expect(() => errorFromJsonBytes(Buffer.from('<html>'), headers(), fallback)).toThrow(fallback);
  },
  async invokeUnaryImplementation() {
    const impl = () => ({ status: Status.SERVING });
    const context = createHandlerContext({
      service: Health,
      method,
      protocolName: 'grpc',
      requestMethod: 'POST',
      url: 'http://a/',
      contextValues: createContextValues(),
    });
    const request = { $typeName: method.input.typeName, service: 'a' } as const;
    const response = await invokeUnaryImplementation({ kind: 'unary', method, impl }, context, request, [
      (next) => async (call) => {
        expect(call.message).toBe(request);
        return await next(call);
      },
    ]);
    expect(response).toMatchObject({ status: Status.SERVING });
  },
  async universalServerResponseToFetch() {
    async function* body() {
      yield new Uint8Array([1]);
      yield new Uint8Array([2]);
    }
    const response = universalServerResponseToFetch({
      status: 201,
      header: headers({ a: 'b' }),
      body: body(),
    });
    expect([response.status, response.headers.get('a')]).toEqual([201, 'b']);
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([1, 2]);
  },
  errorToJson() {
    expect(errorToJson(new ConnectError('full', Code.ResourceExhausted), undefined)).toEqual({
      code: 'resource_exhausted',
      message: 'full',
    });
  },
  findTrailerError() {
    const error = findTrailerError(headers({ 'grpc-status': '8', 'grpc-message': 'too%20long' }));
    expect(error).toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: 'too long',
      isWireError: true,
    });
    expect(findTrailerError(headers({ 'grpc-status': '0' }))).toBeUndefined();
  },
  parseTimeout() {
    const infinity = Number.POSITIVE_INFINITY;
    expect(parseTimeout('1500m', infinity)).toEqual({ timeoutMs: 1500 });
    expect(parseTimeout(null, infinity)).toEqual({});
    expect(parseTimeout('1', infinity).error).toBeInstanceOf(ConnectError);
  },
  requestHeader() {
    const header = requestHeader(true, 1500, { 'x-request-id': 'one' });
    expect(Object.fromEntries(header)).toMatchObject({
      'content-type': 'application/grpc+proto',
      'grpc-timeout': '1500m',
      te: 'trailers',
      'x-request-id': 'one',
    });
    const ofConnect = connectRequestHeader(method.methodKind, true, 1500, { 'x-request-id': 'one' }, true);
    expect(Object.fromEntries(ofConnect)).toMatchObject({
      'content-type': 'application/proto',
      'connect-timeout-ms': '1500',
      'connect-protocol-version': '1',
      'x-request-id': 'one',
    });
  },
  setTrailerStatus() {
    const trailer = setTrailerStatus(headers(), new ConnectError('full', Code.ResourceExhausted));
    expect(Object.fromEntries(trailer)).toMatchObject({ 'grpc-status': '8', 'grpc-message': 'full' });
  },
  validateResponse() {
    const grpc = headers({ 'content-type': 'application/grpc+proto' });
    expect(() => validateResponse(200, grpc)).not.toThrow();
    expect(() => validateResponse(503, grpc)).toThrow(expect.objectContaining({ code: Code.Unavailable }));
    expect(() => validateResponse(200, headers({ 'content-type': 'text/html' }))).toThrow(ConnectError);
  },
  validateTrailer() {
    expect(() => validateTrailer(headers({ 'grpc-status': '0' }), headers())).not.toThrow();
    expect(() => validateTrailer(headers({ 'grpc-status': '5' }), headers())).toThrow(
      expect.objectContaining({ code: Code.NotFound }),
    );
    expect(() => validateTrailer(headers(), headers())).toThrow(ConnectError);
  },
};

/** Values that src/ imports from the protocol modules; types are checked by the compiler. */
function importedNames(): string[] {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const statement = /^import \{([^}]*)\} from '@connectrpc\/connect\/protocol[\w-]*';/gm;
  const names = files.flatMap((file) =>
    [...readFileSync(`src/${file}`, 'utf8').matchAll(statement)].flatMap(([, list = '']) =>
      list.split(',').map((name) => name.trim()),
    ),
  );
  return [...new Set(names)].filter((name) => name !== '' && !name.startsWith('type ')).sort();
}

describe('imports from the protocol modules of Connect', () => {
  it('are exactly those that have a test here', () => {
    expect(importedNames()).toEqual(Object.keys(internals).sort());
  });

  it.each(Object.entries(internals))('%s does what we rely on', async (_, check) => {
    await check();
  });
});
