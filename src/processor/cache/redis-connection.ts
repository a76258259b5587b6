import { createClient, ErrorReply, RESP_TYPES } from '@redis/client';

/** One connection to Redis that nobody has to wait for or look after. */
export interface RedisConnection {
  /**
   * Sends commands and waits for their answer, at most `timeoutMs`.
   *
   * @returns undefined, at once, while there is no connection or too much is under way on it; or when it
   *   breaks or gives no answer in time
   * @throws what Redis says when it refuses; the message starts with Redis' own word, OOM or WRONGTYPE say
   */
  send<T>(commands: (client: RedisClient) => Promise<T>): Promise<T | undefined>;
  /** Waits for what is under way, which has its `timeoutMs`, and disconnects. */
  close(): Promise<void>;
}

export type RedisClient = ReturnType<typeof createRedisClient>;

/** Callers that wait for an answer at one time. A Redis that is this far behind is of no use as a cache. */
const maxUnderWay = 1024;

/**
 * Connects, and connects again for ever: after a failure Redis is left alone for `pauseMs`. A connection on
 * which an answer is overdue is dropped for a new one: Redis may have gone without a word, and an answer
 * that comes late would hold up those behind it.
 *
 * The library's own reconnecting isn't used: it doesn't notice a peer that is silent.
 *
 * @param options.onError - once for each connection that could not be made or broke; no password is in its text
 * @throws Error if `url` is not a Redis URL; without the URL in its text
 */
export function openRedisConnection(options: {
  url: string;
  timeoutMs: number;
  connectTimeoutMs: number;
  pauseMs: number;
  onError: (error: Error) => void;
}): RedisConnection {
  const { url, timeoutMs, connectTimeoutMs, pauseMs, onError } = options;
  const underWay = new Set<Promise<unknown>>();
  let current: RedisClient | undefined;
  let retry: NodeJS.Timeout | undefined;

  function connect(): void {
    const client = createRedisClient(url, connectTimeoutMs);
    current = client;
    // Without a listener an error event ends the process.
    client.on('error', (error: unknown) => drop(client, error));
    const limit = setTimeout(
      () => drop(client, new Error(`no connection within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    client
      .connect()
      .then(
        () => {
          // It was dropped before its socket was there to be destroyed.
          if (client !== current) client.destroy();
        },
        (error: unknown) => drop(client, error),
      )
      .finally(() => clearTimeout(limit));
  }

  /** One broken connection fails many commands and emits errors besides: the first to come here counts. */
  function drop(client: RedisClient, error: unknown): void {
    if (client !== current) return;
    current = undefined;
    client.destroy();
    retry = setTimeout(connect, pauseMs);
    onError(withoutPassword(error, url));
  }

  async function sendOn<T>(client: RedisClient, commands: (client: RedisClient) => Promise<T>) {
    try {
      return await answerWithin(timeoutMs, commands(client));
    } catch (error) {
      if (error instanceof ErrorReply) throw withoutPassword(error, url);
      drop(client, error);
      return undefined;
    }
  }

  connect();

  return {
    async send(commands) {
      if (!current?.isReady || underWay.size >= maxUnderWay) return undefined;
      const sent = sendOn(current, commands);
      underWay.add(sent);
      try {
        return await sent;
      } finally {
        underWay.delete(sent);
      }
    },

    async close() {
      await Promise.allSettled(underWay);
      clearTimeout(retry);
      const client = current;
      current = undefined;
      client?.destroy();
    },
  };
}

function createRedisClient(url: string, connectTimeoutMs: number) {
  try {
    return createClient({
      url,
      // Nothing of RESP 3 is needed, and any server or proxy understands RESP 2.
      RESP: 2,
      maintNotifications: 'disabled',
      disableOfflineQueue: true,
      socket: { connectTimeout: connectTimeoutMs, reconnectStrategy: false },
      // The library's timeout ends when the command is written, which is not when it is answered.
      commandOptions: { timeout: 0, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
    });
  } catch {
    // No cause: the library's errors quote the URL with its password.
    throw new Error(
      'The Redis URL is not valid: it reads redis://[username:password@]host[:port][/database], or rediss:// for TLS.',
    );
  }
}

async function answerWithin<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new Error(`no answer within ${timeoutMs} ms`));
    // After a long task of ours the timer is due before the socket has been read: read it first.
    timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
  });
  try {
    return await Promise.race([answer, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** An error anew, with its text alone: some servers repeat the AUTH command that they refuse, with the password. */
function withoutPassword(error: unknown, url: string): Error {
  const { password } = new URL(url);
  // A host with several addresses gives an AggregateError with an empty message.
  const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
  const text = errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ');
  const safe = [password, decodeURIComponent(password)]
    .filter((secret) => secret !== '')
    .reduce((rest, secret) => rest.replaceAll(secret, '…'), text);
  return new Error(safe);
}
