import { readFileSync } from 'node:fs';
import { ClientError } from './client-error.ts';
import { codeOf, unreadable } from './files.ts';
import { textOf, usage, type Values } from './flags.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The service that a command calls: image-api, image-processor itself, or one in the client's own process. */
export type CalledService =
  | { readonly name: 'image-api'; readonly url: URL; readonly apiKey: string | undefined }
  | {
      readonly name: 'image-processor';
      readonly url: URL;
      /** Further processors, which share the images. */
      readonly others: readonly URL[];
    }
  | { readonly name: 'local'; readonly environment: Environment };

/**
 * The service of a job, a corpus or a comparison. The flag decides, then IMAGE_PROCESSOR_URL, then IMAGE_API_URL: only these commands
 * need the first of the two. Addresses of several processors are separated by commas.
 *
 * @throws ClientError of bad usage
 */
export function readService(values: Values, environment: Environment): CalledService {
  const { api, processor } = values;
  const [first, second] = ['api', 'processor', 'local'].filter((name) => values[name] !== undefined);
  if (second !== undefined) {
    throw usage(`--${first} and --${second} exclude each other: one service is called.`);
  }
  if (values.local === true) return { name: 'local', environment };
  if (processor !== undefined || (api === undefined && environment.IMAGE_PROCESSOR_URL)) {
    const flag = textOf(values, 'processor');
    const read = (address: string) =>
      flag === undefined ? readProcessor(undefined, address) : readProcessor(address, undefined);
    const [first = '', ...others] = (flag ?? environment.IMAGE_PROCESSOR_URL ?? '').split(',');
    return { name: 'image-processor', url: read(first), others: others.map(read) };
  }
  const url = readApi(textOf(values, 'api'), environment.IMAGE_API_URL);
  return { name: 'image-api', url, apiKey: readApiKey(values, environment.IMAGE_API_KEY) };
}

/** The forms of an address, for a message. */
const allowed = 'host:port, such as localhost:8080 or [::1]:8080, or an http or https URL';

/**
 * The address of image-api: the flag, else the environment. It may have a path, below which a proxy serves image-api.
 *
 * @throws ClientError of bad usage; its message contains no password
 */
export function readApi(flag: string | undefined, environment: string | undefined): URL {
  const name = flag === undefined ? 'IMAGE_API_URL' : '--api';
  const { url, given } = readAddress(name, flag ?? (environment || 'http://localhost:8080'));
  if (url.search === '' && url.hash === '') return url;
  throw usage(`${name} is "${given}"; allowed: ${allowed}, without a query.`);
}

/**
 * The address of image-processor: the flag, else the environment.
 *
 * @throws ClientError of bad usage; its message contains no password
 */
export function readProcessor(flag: string | undefined, environment: string | undefined): URL {
  const name = flag === undefined ? 'IMAGE_PROCESSOR_URL' : '--processor';
  const { url, given } = readAddress(name, flag ?? (environment || 'http://localhost:50051'));
  if (url.href === `${url.origin}/`) return url;
  throw usage(`${name} is "${given}"; allowed: ${allowed} without a path.`);
}

function readAddress(name: string, given: string): { url: URL; given: string } {
  const text = given.trim();
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `${schemeOf(text)}://${text}`);
  // fetch refuses such a URL.
  if (url !== null && (url.username !== '' || url.password !== '')) {
    throw usage(`${name} contains a user name or password; the services accept none.`);
  }
  if (url === null || !['http:', 'https:'].includes(url.protocol) || /\s/.test(text)) {
    const is = text.includes('@') ? 'is not an address' : `is "${text}"`;
    throw usage(`${name} ${is}; allowed: ${allowed}.`);
  }
  return { url, given: text };
}

/** The scheme of an address without one: by its port, as browsers know it. */
function schemeOf(address: string): string {
  return /^[^/]*:443(\/|$)/.test(address) ? 'https' : 'http';
}

/**
 * The API key: of the flags, else of the environment. It is never printed.
 *
 * @throws ClientError of bad usage, or if the file cannot be read
 */
export function readApiKey(values: Values, environment: string | undefined): string | undefined {
  const [flag, file] = [textOf(values, 'api-key'), textOf(values, 'key-file')];
  if (flag !== undefined && file !== undefined) throw usage('--api-key and --key-file exclude each other.');
  const name = flag !== undefined ? '--api-key' : file !== undefined ? '--key-file' : 'IMAGE_API_KEY';
  const key = flag ?? (file === undefined ? environment || undefined : keyIn(file));
  if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
    throw usage(`${name} has a space or another character that no API key has, or is empty.`);
  }
  return key;
}

function keyIn(path: string): string {
  return secretIn(path, '--key-file', 'key').trim();
}

/**
 * The password of encrypted documents: of the file of the flag, else of the environment. It is never printed, and no flag
 * contains it, because other users can read flags in the list of processes.
 *
 * @throws ClientError of bad usage, or if the file cannot be read
 */
export function readPassword(values: Values, environment: string | undefined): string | undefined {
  const file = textOf(values, 'password-file');
  // An editor ends a file with a line feed.
  const password =
    file === undefined ? environment : secretIn(file, '--password-file', 'password').replace(/\r?\n$/, '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a header cannot contain them
  if (password !== undefined && /[\0-\x1f\x7f]/.test(password)) {
    const name = file === undefined ? 'IMAGE_DOCUMENT_PASSWORD' : '--password-file';
    throw usage(`${name} has a line feed or another control character, which no password has.`);
  }
  return password === '' ? undefined : password;
}

function secretIn(path: string, flag: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw unreadable(path, cause);
    const message = `There is no file "${path}"; ${flag} takes the path of a file that contains the ${what}.`;
    throw new ClientError('usage', 'INPUT_MISSING', message, { cause });
  }
}
