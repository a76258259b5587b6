import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.ts';
import { Failure, failureKinds, isFailureReason } from '../../failures.ts';
import { origin } from './origin.ts';

/** Why a call failed, for people. */
export interface Problem {
  /** A reason of the table of failures, or one of the page: UNREACHABLE, OFFLINE, FILE_UNREADABLE. */
  readonly reason: string;
  readonly title: string;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Seconds after which the service asks to be called again. */
  readonly retryAfterS?: number;
}

/** The problem of an error; undefined if the page itself cancelled the call. */
export function callProblem(thrown: unknown, signal: AbortSignal): Problem | undefined {
  if (signal.aborted) return undefined;
  if (thrown instanceof Failure) {
    const { reason, message, metadata } = thrown;
    return { reason, title: failureKinds[reason].title, message, metadata };
  }
  if (thrown instanceof DOMException && /^Not(Readable|Found)Error$/.test(thrown.name)) return unreadable();
  const error = ConnectError.from(thrown);
  const retryAfterS = secondsOf(error.metadata.get('retry-after'), Date.now());
  const retry = retryAfterS === undefined ? {} : { retryAfterS };
  const [info] = error.findDetails(ErrorInfoSchema);
  const reason = info?.reason ?? '';
  if (isFailureReason(reason)) {
    // The requests of one view are variants; the visitor knows no indices.
    const message = error.rawMessage.replace(/^Variant \d+: /, '');
    return { reason, title: failureKinds[reason].title, message, metadata: info?.metadata ?? {}, ...retry };
  }
  if (error.code === Code.Unauthenticated) {
    const { title } = failureKinds.UNAUTHENTICATED;
    return { reason: 'UNAUTHENTICATED', title, message: 'The service asks for an API key.', metadata: {} };
  }
  // Browsers throw a TypeError if they cannot connect.
  if (error.cause instanceof TypeError || thrown instanceof TypeError) return unreachable();
  const title = 'The call failed';
  return { reason: Code[error.code], title, message: error.rawMessage, metadata: {}, ...retry };
}

function unreachable(): Problem {
  if (navigator.onLine) {
    return {
      reason: 'UNREACHABLE',
      title: 'The service cannot be reached',
      message: `Nothing responds at ${origin}. Check that image-api runs, then press Process.`,
      metadata: {},
    };
  }
  return {
    reason: 'OFFLINE',
    title: 'You are offline',
    message: 'This browser has no network. The page sends the image when the network is back.',
    metadata: {},
  };
}

function unreadable(): Problem {
  return {
    reason: 'FILE_UNREADABLE',
    title: 'The file cannot be read',
    message: 'It was changed or moved after it was chosen. Choose it again.',
    metadata: {},
  };
}

/**
 * Seconds from now that a Retry-After asks for (RFC 9110, 10.2.3: seconds or an HTTP date); undefined for none.
 *
 * @param nowMs - milliseconds since 1970
 */
function secondsOf(retryAfter: string | null, nowMs: number): number | undefined {
  if (retryAfter === null) return undefined;
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - nowMs) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

/** Advice by reason, where the message of the failure gives none. */
export const remedies: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'Enter the key of your team under “API key”. It is kept only in this page.',
  PROCESSOR_UNAVAILABLE: 'Start image-processor, or wait until it is back.',
  DOCUMENT_PASSWORD_REQUIRED: 'Enter it under “Password of the document”. It is kept only in this page.',
  DEADLINE_EXCEEDED: 'Press Process again, or ask for a smaller image.',
  FORMAT_UNSUPPORTED: 'Choose a JPEG, PNG, WebP, AVIF, GIF, TIFF or BMP. SVG is not read.',
  IMAGE_CORRUPT: 'Save the image again in its program, or choose another.',
  ORIGIN_BUSY: 'Wait a little, or save the image and choose the file here.',
  URL_ADDRESS_FORBIDDEN: 'Save the image and choose the file here.',
  INTERNAL: 'Press Process again. If that fails too, read the log of the service.',
};
