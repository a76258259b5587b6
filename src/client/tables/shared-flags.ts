import type { FlagGroup, Flags } from '../flags.ts';

/** Flags of every command. */
export const commonFlags: Flags = {
  help: { type: 'boolean', short: 'h', group: 'common', help: 'print this' },
  version: { type: 'boolean', short: 'V', group: 'common', help: 'print the version' },
};

export const verboseFlag = (help: string): Flags => ({
  verbose: { type: 'boolean', short: 'v', group: 'common', help },
});

export const quietFlag: Flags = {
  quiet: { type: 'boolean', short: 'q', group: 'common', help: 'print only errors' },
};

/** @param value - the placeholder */
export const outputFlag = (value: string, help: string, completes: 'files' | 'folders'): Flags => ({
  output: { type: 'string', short: 'o', group: 'common', value, help, completes },
});

export const jsonFlag = (help: string): Flags => ({
  json: { type: 'boolean', group: 'common', help },
});

export const urlFlag: Flags = {
  url: {
    type: 'string',
    group: 'common',
    value: 'URL',
    help: 'an image that the service downloads, in place of INPUT',
  },
};

/** The password of encrypted documents; `readPassword` reads it. */
export const passwordFlag: Flags = {
  'password-file': {
    type: 'string',
    group: 'page',
    value: 'FILE',
    help: 'a file that contains the password of encrypted documents (or IMAGE_DOCUMENT_PASSWORD)',
    completes: 'files',
  },
};

/** How image-api is reached. */
export const apiFlags: Flags = {
  api: {
    type: 'string',
    group: 'connection',
    value: 'ADDRESS',
    help: 'address of image-api: host:port or an http or https URL (or IMAGE_API_URL; default localhost:8080)',
  },
  'key-file': {
    type: 'string',
    group: 'connection',
    value: 'FILE',
    help: 'a file that contains the API key for image-api (or IMAGE_API_KEY; default: no key)',
    completes: 'files',
  },
  'api-key': {
    type: 'string',
    group: 'connection',
    value: 'KEY',
    help: 'the API key itself, which other users of this machine can read in the list of processes',
  },
};

export const processorFlags: Flags = {
  processor: {
    type: 'string',
    group: 'connection',
    value: 'ADDRESS',
    help: 'address of image-processor: host:port or a URL; several, with commas between them, share the images of job and corpus (or IMAGE_PROCESSOR_URL; default localhost:50051)',
  },
};

/** The services that the commands job, corpus and skew choose from. */
export const serviceFlags: Flags = {
  ...apiFlags,
  ...processorFlags,
  local: {
    type: 'boolean',
    group: 'connection',
    help: 'process the images in this program, without a service; it takes the environment variables of image-processor',
  },
};

export const baseFlag = (group: FlagGroup): Flags => ({
  base: {
    type: 'string',
    group,
    value: 'FOLDER',
    help: "paths in lists start here and stay inside it (default: the list's folder)",
    completes: 'folders',
  },
});

/**
 * The limits of what is in flight; `readQueueLimits` reads them.
 *
 * @param inFlight - by default
 */
export const queueFlags = (group: FlagGroup, inFlight: number): Flags => ({
  'in-flight': { type: 'string', group, value: 'N', help: `images at once, at most (default ${inFlight})` },
  'max-memory': {
    type: 'string',
    group,
    value: 'MIB',
    help: 'bytes of images at once, in MiB (default 128)',
  },
  tries: {
    type: 'string',
    group,
    value: 'N',
    help: 'how often an image is sent while its connection is lost or it fails for a time (default 5)',
  },
  patience: {
    type: 'string',
    group,
    value: 'SECONDS',
    help: 'longest wait for a service that is unreachable, silent or full (default 60)',
  },
  'per-host': {
    type: 'string',
    group,
    value: 'N',
    help: 'URLs of one host in flight at once (default 8)',
  },
  'host-patience': {
    type: 'string',
    group,
    value: 'SECONDS',
    help: 'longest wait for a host that asks to retry later and sends no image (default 300)',
  },
});

/** @param seconds - by default */
export const timeoutFlag = (seconds: number, what = 'the response'): Flags => ({
  timeout: {
    type: 'string',
    group: 'connection',
    value: 'SECONDS',
    help: `longest wait for ${what} (default ${seconds})`,
  },
});
