import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import type { createMethodUrl } from '@connectrpc/connect/protocol';
import type { Deadline } from '../deadline.ts';

/** A unary method of a generated service, as `ProcessorService.method.process`. */
export type UnaryMethod<Input extends DescMessage, Output extends DescMessage> = Parameters<
  typeof createMethodUrl
>[1] & { readonly methodKind: 'unary'; readonly input: Input; readonly output: Output };

/** One unary gRPC call. */
export interface UnaryCall<Input extends DescMessage, Output extends DescMessage> {
  readonly method: UnaryMethod<Input, Output>;
  readonly message: MessageShape<Input>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Goes along as `grpc-timeout`; its signal ends the call. The call has no timer of its own. */
  readonly deadline: Pick<Deadline, 'signal' | 'remainingMs'>;
  /** Takes memory for the message of the response as soon as its length is known. It may throw a Failure. */
  takeRoom?(messageBytes: number): void;
}

/** Sends a call. @throws ConnectError */
export type SendCall = <Input extends DescMessage, Output extends DescMessage>(
  call: UnaryCall<Input, Output>,
) => Promise<MessageShape<Output>>;

/** A server in this process, whose methods are called without a connection. */
export interface LocalServer {
  /**
   * Runs a call as if it had come from a caller that is believed. Messages are passed on as they are, so neither side
   * changes one. The request stays as it is until it has a response; after a failure its bytes may still be read, for a
   * caller with an equal request. The response may be the cache's.
   *
   * @throws ConnectError as it would arrive over a connection
   */
  readonly call: SendCall;
}

/** A server in this process that others reach as well. */
export interface ListeningServer extends LocalServer {
  readonly port: number;
}
