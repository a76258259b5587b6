import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { untilAborted } from '../until-aborted.ts';
import type { loadSdk } from './sdk.ts';
import { StorageFailure, storageFailureFrom } from './storage-failure.ts';

type Sdk = ReturnType<typeof loadSdk>;

/** Attempts of one call, the first included. */
export const defaultAttempts = 3;
/** First wait between two attempts, in ms; each further one is twice as long, and all are shortened by up to half. */
const firstWaitMs = 100;
/** Longest wait that a storage may ask for within a call; a longer one fails the call, and its caller waits. */
const maxWaitMs = 2000;

/** Runs `call`, again after failures that pass, and once more with new credentials after those were refused. */
export async function attempt<T>(
  { sdk, attempts }: { readonly sdk: Sdk; readonly attempts: number },
  bucket: string,
  signal: AbortSignal,
  call: (client: S3Client) => Promise<T>,
): Promise<T> {
  for (let left = attempts - 1; ; left--) {
    signal.throwIfAborted();
    const { client, renew } = await untilAborted(sdk.client(), signal);
    try {
      return await untilAborted(call(client), signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const failure = storageFailureFrom(error, bucket);
      if (!(failure instanceof StorageFailure)) throw failure;
      await waitForAttempt(failure, left, attempts - 1 - left, renew, signal);
    }
  }
}

/** Waits before the next attempt. @throws the failure if another attempt cannot help */
async function waitForAttempt(
  failure: StorageFailure,
  left: number,
  made: number,
  renewCredentials: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  const isSkewed = failure.problem === 'CLOCK_SKEWED';
  if (left <= 0 || !(failure.isRetryable || isSkewed)) throw failure;
  // The SDK has learnt the server's time from the refusal; with another clock the call can be signed at once.
  if (isSkewed && made === 0) return;
  if (isSkewed) throw failure;
  if (failure.problem === 'CREDENTIALS_INVALID') {
    if (!renewCredentials()) throw failure;
    return;
  }
  const requested = (failure.retryAfterSeconds ?? 0) * 1000;
  if (requested > maxWaitMs) throw failure;
  const wait = firstWaitMs * 2 ** made * (1 - Math.random() / 2);
  await sleep(Math.max(wait, requested), undefined, { signal }).catch(() => {
    throw signal.reason;
  });
}
