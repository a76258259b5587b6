import type { S3Client } from '@aws-sdk/client-s3';

/** Where object storage is, and how long its calls wait. */
export interface StorageSettings {
  /** URL of an S3-compatible server. Default: AWS. */
  readonly endpoint?: string | undefined;
  /** Whether buckets are in the path and not in the host name. */
  readonly forcePathStyle?: boolean | undefined;
  /** Longest wait for a connection, in ms. Default: 3 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** Longest time without a byte in either direction, in ms. Default: 10 s. */
  readonly idleTimeoutMs?: number | undefined;
  /** Most connections. Default: 64. */
  readonly maxConnections?: number | undefined;
}

/** A client with the credentials of now. */
interface CurrentClient {
  readonly client: S3Client;
  /** Replaces the client by one whose credentials are read again. @returns false if that was done a moment ago */
  renew(): boolean;
}

/** Shortest time between two readings of credentials that a server refused, in ms. */
const renewalPauseMs = 5000;

/** Region of signatures where an S3-compatible server is configured and no region: such servers ignore it. */
const regionOfServers = 'us-east-1';

/** Failures are reported by those who call; without a logger the SDK writes some of them to the console. */
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** The SDK, loaded at the first use: it takes 38 MB and a third of a second. */
export function loadSdk(settings: StorageSettings) {
  const { endpoint, forcePathStyle = false, maxConnections = 64 } = settings;
  const { connectTimeoutMs = 3000, idleTimeoutMs = 10_000 } = settings;
  let current: Promise<CurrentClient> | undefined;
  let renewedAtMs = Number.NEGATIVE_INFINITY;

  async function open(previous?: S3Client): Promise<CurrentClient> {
    const { S3Client } = await import('@aws-sdk/client-s3');
    const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
    const agent = { keepAlive: true, maxSockets: maxConnections };
    const config = {
      ...(endpoint !== undefined && { endpoint }),
      forcePathStyle,
      // Servers other than AWS do not know the newer checksums; ours are given with each object.
      requestChecksumCalculation: 'WHEN_REQUIRED' as const,
      responseChecksumValidation: 'WHEN_REQUIRED' as const,
      // The attempts are ours: the SDK's waits between them do not end with the signal.
      maxAttempts: 1,
      logger: silent,
      // Files of credentials are read again, and not taken from the SDK's memory of them.
      credentials: defaultProvider({ ignoreCache: true, logger: silent }),
      requestHandler: previous?.config.requestHandler ?? {
        connectionTimeout: connectTimeoutMs,
        socketTimeout: idleTimeoutMs,
        // The limits of requests are their callers'; the SDK would write a warning to the console.
        socketAcquisitionWarningTimeout: 2 ** 31 - 1,
        httpAgent: agent,
        httpsAgent: agent,
      },
      ...(previous !== undefined && { systemClockOffset: previous.config.systemClockOffset }),
    };
    const client = new S3Client(config);
    return { client: await withRegion(client, config), renew: () => renew(client) };
  }

  /** AWS tells by the region where a bucket is. Other servers need none, and their operators set none. */
  async function withRegion(
    client: S3Client,
    config: ConstructorParameters<typeof S3Client>[0],
  ): Promise<S3Client> {
    if (endpoint === undefined) return client;
    try {
      await client.config.region();
      return client;
    } catch {
      const { S3Client } = await import('@aws-sdk/client-s3');
      return new S3Client({ ...config, region: regionOfServers });
    }
  }

  function renew(client: S3Client): boolean {
    if (performance.now() - renewedAtMs < renewalPauseMs) return false;
    renewedAtMs = performance.now();
    current = open(client);
    return true;
  }

  return {
    client(): Promise<CurrentClient> {
      current ??= open();
      return current;
    },

    async commands() {
      const [s3, { getSignedUrl }] = await Promise.all([
        import('@aws-sdk/client-s3'),
        import('@aws-sdk/s3-request-presigner'),
      ]);
      return { ...s3, getSignedUrl };
    },

    close(): void {
      void current?.then(({ client }) => client.destroy());
    },
  };
}
