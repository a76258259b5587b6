import type { DescService } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  createHandlerContext,
  createServiceImplSpec,
  type HandlerContext,
  type MethodImplSpec,
  type ServiceImpl,
} from '@connectrpc/connect';
import { createMethodUrl } from '@connectrpc/connect/protocol';

export type UnarySpec = Extract<MethodImplSpec, { kind: 'unary' }>;

/** The unary methods of a server, by the path of their URL. */
export type UnaryMethods = ReturnType<typeof createUnaryMethods>;

export function createUnaryMethods() {
  const specs = new Map<string, UnarySpec>();
  return {
    add<Service extends DescService>(service: Service, implementation: Partial<ServiceImpl<Service>>): void {
      for (const spec of Object.values(createServiceImplSpec(service, implementation).methods)) {
        if (spec.kind === 'unary') specs.set(createMethodUrl('/', spec.method), spec);
      }
    },
    find: (path: string): UnarySpec | undefined => specs.get(path),
  };
}

type ContextOptions = Parameters<typeof createHandlerContext>[0];

/**
 * The context of a call, by gRPC or within this process.
 *
 * @param call - the parts that differ from call to call
 */
export function openContext(
  spec: UnarySpec,
  baseUrl: string,
  call: Omit<ContextOptions, keyof UnarySpec | 'service' | 'requestMethod' | 'protocolName' | 'url'>,
): HandlerContext & { abort(reason?: unknown): void } {
  const { method } = spec;
  return createHandlerContext({
    ...call,
    ...spec,
    service: method.parent,
    requestMethod: 'POST',
    protocolName: 'grpc',
    url: createMethodUrl(baseUrl, method),
  });
}

/** The reason with which a finished call's context aborts. It is made once, because capturing a stack is expensive. */
export const over = new ConnectError('the call is over', Code.Canceled);
