import * as z from 'zod';
import { flag } from '../options/text-schemas.ts';

/**
 * The variables of object storage. Credentials, region and profile come from the SDK's own chain: AWS_ACCESS_KEY_ID,
 * AWS_REGION, AWS_PROFILE, the files under ~/.aws, the identity of a pod or a machine.
 */
export const storageEnvironment = {
  S3_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'an http:// or https:// URL' })
    .optional()
    .describe('URL of an S3-compatible server, such as MinIO; unset: AWS, by its region'),
  S3_FORCE_PATH_STYLE: flag()
    .default(false)
    .describe('Whether buckets are in the path of S3_ENDPOINT and not in its host name; MinIO needs it'),
};
