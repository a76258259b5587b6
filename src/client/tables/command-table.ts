import type { exitCodes } from '../client-error.ts';
import type { Flags } from '../flags.ts';

/** A command: its table is the source of parsing, `--help`, completion and the tables of docs/cli.md. */
export interface CommandTable {
  /** The lines after "Usage: image-client". */
  readonly usage: readonly string[];
  /** One phrase for the list of commands. */
  readonly summary: string;
  /** The description in `--help`: paragraphs. */
  readonly about: readonly string[];
  readonly flags: Flags;
  /** Whether the command also has the image options as flags. */
  readonly takesImageOptions: boolean;
  /** Paragraphs after the flags. */
  readonly notes: readonly string[];
  /** Shell lines, each with its description. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  readonly exits: readonly (keyof typeof exitCodes)[];
  /** The variables that the command reads; `variables` describes them. */
  readonly environment: readonly (keyof typeof variables)[];
  /** The words that completion offers for arguments that are not flags. */
  readonly positionals: 'files' | 'presets' | readonly string[];
}

/** The environment variables of the client. */
export const variables = {
  IMAGE_API_URL: 'address of image-api (default http://localhost:8080)',
  IMAGE_API_KEY: 'API key for image-api; never printed or written to a file',
  IMAGE_DOCUMENT_PASSWORD: 'password of encrypted documents; never printed or written to a file',
  IMAGE_PROCESSOR_URL:
    'address of image-processor; with it the commands job, corpus and skew send their images there, not to image-api',
  JOB_COMPLETION_INDEX:
    'the shard that corpus work makes without --shard; Kubernetes sets it in an Indexed Job',
  S3_ENDPOINT: 'URL of an S3-compatible server, such as MinIO (default: AWS, by its region)',
  S3_FORCE_PATH_STYLE: 'true if buckets are in the path of S3_ENDPOINT and not in its host name',
  NO_COLOR: 'if set and not empty, no colours on a terminal',
} as const;
