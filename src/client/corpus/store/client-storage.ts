import * as z from 'zod';
import { EnvironmentError, readEnvironment } from '../../../environment.ts';
import { storageEnvironment } from '../../../object-storage/environment.ts';
import { type ObjectStorage, openObjectStorage } from '../../../object-storage/object-storage.ts';
import { usage } from '../../flags.ts';

const schema = z.object(storageEnvironment);

/**
 * The object storage of the client's environment, by the variables of the service. Credentials and region come from the SDK's
 * own chain.
 *
 * @throws ClientError of bad usage
 */
export function clientStorage(environment: Readonly<Record<string, string | undefined>>): ObjectStorage {
  try {
    const { S3_ENDPOINT, S3_FORCE_PATH_STYLE } = readEnvironment(schema, environment);
    return openObjectStorage({ endpoint: S3_ENDPOINT, forcePathStyle: S3_FORCE_PATH_STYLE });
  } catch (error) {
    if (error instanceof EnvironmentError) throw usage(`${error.message}.`);
    throw error;
  }
}
