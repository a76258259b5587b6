import { createClient, ErrorReply, RESP_TYPES } from '@redis/client';

/** One connection to Redis, which reconnects by itself and never blocks a caller. */
export interface RedisConnection {
  /**
   * Sends commands and waits for their replies, at most `timeoutMs`.
   *
   * @returns undefined: at once if there is no connection or too many commands are in progress, or later if the
   *   connection breaks or no reply comes in time
   * @throws the error that Redis replies with; its message starts with Redis' own code, for example OOM or WRONGTYPE
   */
  send<T>(commands: (client: RedisClient) => Promise<T>): Promise<T | undefined>;
  /** Waits for commands in progress, at most `timeoutMs`, and disconnects. */
  close(): Promise<void>;
}

export type RedisClient = ReturnType<typeof createRedisClient>;

/** Limit of calls that wait for a reply at once. A Redis that is this slow is useless as a cache. */
const maxUnderWay = 1024;

/**
 * Connects, and reconnects forever. After a failure Redis gets no requests for `pauseMs`. A connection whose reply is
 * overdue is replaced: Redis may have disappeared without closing it, and a late reply would delay those after it.
 *
 * The library's own reconnecting is not used, because it does not detect a silent peer.
 *
 * @param options.onError - called once for each connection that failed or broke; its text contains no password
 * @throws Error if `url` is not a Redis URL; its text does not contain the URL
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
    // Without a listener an error event would end the process.
    client.on('error', (error: unknown) => drop(client, error));
    const limit = setTimeout(
      () => drop(client, new Error(`no connection within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    client
      .connect()
      .then(
        () => {
          // It was dropped before its socket existed.
          if (client !== current) client.destroy();
        },
        (error: unknown) => drop(client, error),
      )
      .finally(() => clearTimeout(limit));
  }

  /** A broken connection fails many commands and emits errors too. Only the first error of a connection counts. */
  function drop(client: RedisClient, error: unknown): void {
    if (client !== current) return;
    current = undefined;
    client.destroy();
    retry = setTimeout(connect, pauseMs);
    onError(withoutPassword(error, url));
  }

  async function sendOn<T>(client: RedisClient, commands: (client: RedisClient) => Promise<T>) {
    try {
      return await replyWithin(timeoutMs, commands(client));
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
      // RESP 2 is enough, and every server and proxy supports it.
      RESP: 2,
      maintNotifications: 'disabled',
      disableOfflineQueue: true,
      socket: { connectTimeout: connectTimeoutMs, reconnectStrategy: false },
      // The library's timeout covers only writing the command, not the wait for its reply.
      commandOptions: { timeout: 0, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
    });
  } catch {
    // No cause: the library's errors quote the URL with its password.
    throw new Error(
      'The Redis URL is not valid: it reads redis://[username:password@]host[:port][/database], or rediss:// for TLS.',
    );
  }
}

async function replyWithin<T>(timeoutMs: number, reply: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new Error(`no reply within ${timeoutMs} ms`));
    // After a long task the timer may be due before the socket has been read, so read the socket first.
    timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
  });
  try {
    return await Promise.race([reply, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** A new error with only the text: some servers repeat the AUTH command that they refuse, with the password. */
function withoutPassword(error: unknown, url: string): Error {
  const { password } = new URL(url);
  // A host with several addresses causes an AggregateError with an empty message.
  const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
  const text = errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ');
  const safe = [password, decodeURIComponent(password)]
    .filter((secret) => secret !== '')
    .reduce((rest, secret) => rest.replaceAll(secret, '…'), text);
  return new Error(safe);
}
