import type { DescMethod } from '@bufbuild/protobuf';

/** How the messages of a call are encoded. */
export interface CallFormat {
  readonly protocol: 'connect' | 'grpc' | 'grpc-web';
  readonly isBinary: boolean;
  /** Whether an envelope with flags and length precedes each message. */
  readonly isEnveloped: boolean;
}

const formats: Readonly<Record<string, CallFormat>> = {
  'application/proto': { protocol: 'connect', isBinary: true, isEnveloped: false },
  'application/json': { protocol: 'connect', isBinary: false, isEnveloped: false },
  'application/connect+proto': { protocol: 'connect', isBinary: true, isEnveloped: true },
  'application/connect+json': { protocol: 'connect', isBinary: false, isEnveloped: true },
  'application/grpc-web': { protocol: 'grpc-web', isBinary: true, isEnveloped: true },
  'application/grpc-web+proto': { protocol: 'grpc-web', isBinary: true, isEnveloped: true },
  'application/grpc-web+json': { protocol: 'grpc-web', isBinary: false, isEnveloped: true },
  'application/grpc': { protocol: 'grpc', isBinary: true, isEnveloped: true },
  'application/grpc+proto': { protocol: 'grpc', isBinary: true, isEnveloped: true },
  'application/grpc+json': { protocol: 'grpc', isBinary: false, isEnveloped: true },
};

/** The format that a Content-Type stands for; undefined where the method does not take it. */
export function callFormat(
  contentType: string | null | undefined,
  { methodKind }: Pick<DescMethod, 'methodKind'>,
): CallFormat | undefined {
  const name = (contentType ?? '').toLowerCase().replace(/(?<=json); ?charset=utf-?8$/, '');
  const format = Object.hasOwn(formats, name) ? formats[name] : undefined;
  // Only Connect has no envelope around the message of a unary call.
  const isFit = format?.protocol !== 'connect' || format.isEnveloped === (methodKind !== 'unary');
  return isFit ? format : undefined;
}

/** Flags of the envelope with which a peer may end a stream. It contains no message. */
export const endFlags = { connect: 0b10, grpc: 0, 'grpc-web': 0b1000_0000 } as const;
