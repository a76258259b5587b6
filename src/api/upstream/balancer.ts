import { addAbortListener } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { type Deadline, startDeadline } from '../../deadline.ts';
import type { Http2Connection } from '../../grpc/http2-connection.ts';
import { failureFromConnectError } from '../../grpc/rpc-failures.ts';
import { serves } from '../../grpc/serves.ts';
import { responseOverheadBytes } from '../../grpc/transport.ts';
import type { UnaryCall } from '../../grpc/unary-call.ts';
import { callGrpc } from './grpc-call.ts';
import { type ProcessorAddress, type Resolve, watchProcessorAddresses } from './processor-addresses.ts';
import { createProcessorConnection } from './processor-connection.ts';
import type { ProcessorState, Upstream } from './upstream.ts';

/** Health checks take milliseconds even under full load; two round trips may take a second each. */
const probeTimeoutMs = 3_000;
/** Waits between the probes of a processor that is avoided: doubled from the first up to the longest. */
const firstProbeWaitMs = 100;
const longestProbeWaitMs = 1_000;

/** A call that may have crashed one processor is sent to one more, and not to the whole fleet. */
const maxLosses = 1;
/**
 * A refused stream was not processed (RFC 9113, 8.7), so the call may be sent again as often as its time allows. The waits
 * double from 1 ms, so ten tries take about a second; only a processor that takes no calls at all refuses that often.
 */
const maxRefusals = 10;

/** The order in which calls choose among states. */
const preference = ['serving', 'new', 'avoided'] as const satisfies readonly ProcessorState[];

interface Processor {
  readonly address: string;
  readonly connection: Http2Connection;
  inFlight: number;
  /** Number of its latest call. */
  turn: number;
  state: ProcessorState;
  isProbed: boolean;
  /** Its address has disappeared: it finishes its calls. */
  isRetired: boolean;
}

/**
 * Balances calls over all processors. gRPC stays on one connection, so the balancer chooses a processor for each call:
 * of two chosen at random, the one with fewer calls in flight.
 *
 * An idempotent call whose processor is lost is sent once more, to another processor if there is one, within its
 * deadline. A call that has a response, even a failure, is never sent again.
 *
 * @param urls - origins with commas between them; each of their hosts' addresses is a processor
 * @param resolveMs - between two lookups of the hosts' addresses
 * @param onRetry - is called for each call that is sent once more
 */
export function createBalancer(
  urls: string,
  maxAnswerBytes: number,
  resolveMs: number,
  resolve?: Resolve,
  onRetry?: () => void,
): Upstream {
  const processors = new Map<string, Processor>();
  const closing = new AbortController();
  const maxResponseBytes = maxAnswerBytes + responseOverheadBytes;
  let turns = 0;
  const watch = watchProcessorAddresses(urls, resolveMs, setAddresses, resolve);

  function setAddresses(addresses: readonly ProcessorAddress[]): void {
    const left = new Set(processors.keys());
    for (const one of addresses) {
      if (!left.delete(one.address) && !processors.has(one.address)) add(one);
    }
    for (const address of left) retire(address);
  }

  function add({ url, ip, address }: ProcessorAddress): void {
    const processor: Processor = {
      address,
      connection: createProcessorConnection(url, ip),
      inFlight: 0,
      turn: 0,
      state: 'new',
      isProbed: false,
      isRetired: false,
    };
    processors.set(address, processor);
    void probe(processor);
  }

  function retire(address: string): void {
    const processor = processors.get(address);
    if (processor === undefined) return;
    processors.delete(address);
    processor.isRetired = true;
    if (processor.inFlight === 0) processor.connection.abort();
  }

  /** Checks its health until it serves or its address has disappeared. */
  async function probe(processor: Processor): Promise<void> {
    if (processor.isProbed) return;
    processor.isProbed = true;
    for (
      let waitMs = firstProbeWaitMs;
      !processor.isRetired;
      waitMs = Math.min(waitMs * 2, longestProbeWaitMs)
    ) {
      using deadline = startDeadline(closing.signal, probeTimeoutMs);
      if (await servesNow(processor, deadline).catch(() => false)) {
        processor.state = 'serving';
        break;
      }
      processor.state = 'avoided';
      // Random, so that instances of image-api do not check in step.
      await sleep(waitMs * (0.75 + Math.random() / 2), undefined, { ref: false });
    }
    processor.isProbed = false;
  }

  function avoid(processor: Processor): void {
    processor.state = 'avoided';
    void probe(processor);
  }

  /** @param but - is chosen only if it is the only one */
  async function choose(signal: AbortSignal, but?: Processor): Promise<Processor> {
    if (processors.size === 0) await beforeAbort(watch.lookedUp, signal);
    const others = [...processors.values()].filter((one) => one !== but);
    for (const state of preference) {
      const candidates = others.filter((one) => one.state === state);
      const [one, other] = [takeRandom(candidates), takeRandom(candidates)];
      if (one !== undefined) return other !== undefined && isFreer(other, one) ? other : one;
    }
    if (but !== undefined && !but.isRetired) return but;
    const text = 'no address of a processor is known';
    throw new ConnectError(text, Code.Unavailable, undefined, undefined, watch.lastError());
  }

  function hold(processor: Processor): void {
    processor.inFlight++;
    processor.turn = ++turns;
  }

  function release(processor: Processor): void {
    processor.inFlight--;
    if (processor.isRetired && processor.inFlight === 0) processor.connection.abort();
  }

  async function send<Input extends DescMessage, Output extends DescMessage>(
    processor: Processor,
    call: UnaryCall<Input, Output>,
  ): Promise<MessageShape<Output>> {
    hold(processor);
    try {
      return await callGrpc(processor.connection, maxResponseBytes, call);
    } finally {
      release(processor);
    }
  }

  /** Sends a call to one processor, and where it may be repeated to another if that one is lost. */
  async function callAny<Input extends DescMessage, Output extends DescMessage>(
    call: UnaryCall<Input, Output>,
  ): Promise<MessageShape<Output>> {
    const { signal } = call.deadline;
    let [losses, refusals] = [0, 0];
    let last: Processor | undefined;
    for (;;) {
      const processor = await choose(signal, last);
      try {
        return await send(processor, call);
      } catch (error) {
        if (signal.aborted || closing.signal.aborted || !isLostProcessor(error)) throw error;
        if (isRefusedStream(error)) {
          refusals++;
        } else {
          losses++;
          avoid(processor);
        }
        const mayRepeat = call.method.idempotency === Idempotency.IDEMPOTENT;
        if (!mayRepeat || losses > maxLosses || refusals > maxRefusals) throw error;
        last = processor;
        onRetry?.();
        if (refusals > 1) await sleep(2 ** (refusals - 2), undefined, { ref: false });
      }
    }
  }

  return {
    call: callAny,

    async checkHealth(deadline) {
      if (processors.size === 0) await beforeAbort(watch.lookedUp, deadline.signal);
      const checks = [...processors.values()].map(async (processor) => {
        if (await servesNow(processor, deadline)) return;
        avoid(processor);
        throw new Error(`${processor.address} does not serve`);
      });
      try {
        await Promise.any(checks);
      } catch (cause) {
        const text = 'no processor serves';
        throw new ConnectError(text, Code.Unavailable, undefined, undefined, cause);
      }
    },

    addresses: () =>
      [...processors.values()].map(({ address, inFlight, state }) => ({ address, inFlight, state })),

    close() {
      closing.abort();
      watch.close();
      for (const processor of processors.values()) {
        processor.isRetired = true;
        processor.connection.abort();
      }
      processors.clear();
    },
  };
}

function servesNow({ connection }: Processor, deadline: Deadline): Promise<boolean> {
  return serves((call) => callGrpc(connection, responseOverheadBytes, call), deadline);
}

/**
 * Whether the call ended with its connection, or with a processor on its way out, and without a response. Only for a
 * call that its caller has not aborted: nobody cancelled or aborted anything then, but connections that die show as
 * that, and streams that the other side resets as Internal with Node's own error inside.
 */
export function isLostProcessor(error: unknown): boolean {
  const lost = ConnectError.from(error);
  const failure = failureFromConnectError(lost);
  // A processor that reports CANCELLED has cancelled by itself, because it ends.
  if (failure !== undefined) return failure.reason === 'DRAINING' || failure.reason === 'CANCELLED';
  if ([Code.Unavailable, Code.Aborted, Code.Canceled].includes(lost.code)) return true;
  const { cause } = lost;
  return cause instanceof Error && 'code' in cause && String(cause.code).startsWith('ERR_HTTP2_');
}

/** Whether the stream met the GOAWAY of a connection that was about to end. Only the message of the error shows it. */
function isRefusedStream(error: unknown): boolean {
  const { rawMessage, cause } = ConnectError.from(error);
  return `${rawMessage} ${cause}`.includes('REFUSED_STREAM');
}

/** Under little load most are equal. Then the one whose latest call is older is preferred. */
function isFreer(one: Processor, other: Processor): boolean {
  return one.inFlight < other.inFlight || (one.inFlight === other.inFlight && one.turn < other.turn);
}

function takeRandom<Value>(values: Value[]): Value | undefined {
  return values.splice(Math.floor(Math.random() * values.length), 1)[0];
}

/** Waits for the promise, but not longer than until the signal aborts. */
async function beforeAbort(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  using _listening = addAbortListener(signal, () => reject(signal.reason));
  await Promise.race([promise, aborted]);
}
