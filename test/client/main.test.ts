import { once } from 'node:events';
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import type { ImageSummary } from '../../src/client/summary.ts';
import { type Run, run } from '../support/run.ts';
import { findProgram } from '../support/tools.ts';

/*
 * The client as a process, as people run it, against a server whose responses each test scripts. The
 * client and the real service together are in end-to-end/.
 */

interface Received {
  readonly method: string | undefined;
  readonly path: string;
  readonly query: Record<string, string>;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

/** The requests of this test, and how the server responds to them. */
let received: Received[];
let respond: (response: ServerResponse, request: IncomingMessage) => void;

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '', 'http://localhost');
  received.push({
    method: request.method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    contentType: request.headers['content-type'],
    body: await buffer(request),
  });
  respond(response, request);
});

let api: string;
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** An empty folder, and a response of six bytes whose content type is JPEG. */
let folder: string;
const jpeg = Buffer.from('a jpeg');
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-client-'));
  await writeFile(join(folder, 'photo.jpg'), 'a photo');
  received = [];
  respond = (response) => response.writeHead(200, { 'content-type': 'image/jpeg' }).end(jpeg);
});
afterEach(() => rm(folder, { recursive: true }));

const root = fileURLToPath(new URL('../..', import.meta.url));

type Options = NonNullable<Parameters<typeof run>[2]> & { readonly program?: readonly string[] };

const program = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url));

function client(
  parameters: readonly string[],
  { program: [command = '', ...before] = [process.execPath, program], ...options }: Options = {},
): Promise<Run> {
  return run(command, [...before, ...parameters], {
    cwd: folder,
    ...options,
    env: { IMAGE_API_URL: api, ...options.env },
  });
}

/** The files in the folder besides the photo. */
async function written(): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name !== 'photo.jpg');
}

function problem(response: ServerResponse, status: number, document: Record<string, unknown>): void {
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(document));
}

describe('image-client: sending and writing', () => {
  it('sends a file as the body of a POST and writes the response, and prints nothing', async () => {
    const result = await client(['photo.jpg', 'output.jpg']);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout.length).toBe(0);
    expect(received).toEqual([
      {
        method: 'POST',
        path: '/v1/images',
        query: { format: 'jpeg' },
        contentType: 'application/octet-stream',
        body: Buffer.from('a photo'),
      },
    ]);
    expect(await readFile(join(folder, 'output.jpg'))).toEqual(jpeg);
    expect(await written()).toEqual(['output.jpg']);
  });

  it('sends options in the query', async () => {
    await client(['--width', '224', '--no-grayscale', '--channel-order', 'bgr', 'photo.jpg', 'output']);
    expect(received[0]?.query).toEqual({ width: '224', grayscale: 'false', channel_order: 'bgr' });
  });

  it('sends a URL as JSON', async () => {
    await client(['--url', 'https://example.com/a.jpg?b=c', 'output.png', '--width', '10']);
    expect(received).toMatchObject([
      { method: 'POST', query: { width: '10', format: 'png' }, contentType: 'application/json' },
    ]);
    expect(JSON.parse(String(received[0]?.body))).toEqual({ url: 'https://example.com/a.jpg?b=c' });
  });

  it('reads standard input and writes standard output for dashes', async () => {
    const result = await client(['-', '-'], { input: 'piped' });
    expect(result).toMatchObject({ code: 0, stdout: jpeg, stderr: '' });
    expect(received[0]?.body.toString()).toBe('piped');
  });

  it('sends the API key of the environment as a bearer token, and never prints it', async () => {
    let authorization: string | undefined;
    respond = (response, request) => {
      authorization = request.headers.authorization;
      problem(response, 401, { reason: 'KEY_UNKNOWN', detail: 'No.' });
    };
    const result = await client(['photo.jpg', 'output.jpg'], { env: { IMAGE_API_KEY: 'abc.DEF-123' } });
    expect(authorization).toBe('Bearer abc.DEF-123');
    expect(result).toMatchObject({ code: 3, stderr: 'image-client: KEY_UNKNOWN: No.\n' });
    respond = (response, request) => {
      authorization = request.headers.authorization;
      response.writeHead(200, { 'content-type': 'image/jpeg' }).end(jpeg);
    };
    await client(['photo.jpg', 'output.jpg'], { env: { IMAGE_API_KEY: undefined } });
    expect(authorization).toBeUndefined();
  });

  it('advises a caller that image-api does not know', async () => {
    respond = (response) => problem(response, 401, { reason: 'UNAUTHENTICATED', detail: 'No.' });
    const none = await client(['photo.jpg', 'output.jpg'], { env: { IMAGE_API_KEY: undefined } });
    const advice = 'Set IMAGE_API_KEY, or --key-file, to an API key.';
    expect(none).toMatchObject({ code: 3, stderr: `image-client: UNAUTHENTICATED: No. ${advice}\n` });
    const other = await client(['photo.jpg', 'output.jpg'], { env: { IMAGE_API_KEY: 'a-key' } });
    expect(other.stderr).toMatch(/No\. Ask image-api's operators for a key that is in use\.\n$/);
  });

  it('finds the service below a path, by --api', async () => {
    await client(['--api', `${api}/images/`, 'photo.jpg', 'output.jpg'], {
      env: { IMAGE_API_URL: 'http://127.0.0.1:1' },
    });
    expect(received[0]?.path).toBe('/images/v1/images');
  });

  it('warns when the response does not match the extension of the file', async () => {
    const result = await client(['--format', 'jpeg', 'photo.jpg', 'output.png']);
    expect(result).toMatchObject({
      code: 0,
      stderr: 'image-client: warning: output.png contains image/jpeg\n',
    });
  });

  it('prints size, type, cache state and stage times with --verbose', async () => {
    respond = (response) =>
      response
        .writeHead(200, {
          'content-type': 'image/jpeg',
          'image-width': '3',
          'image-height': '1',
          'cache-status': 'image-processor; hit',
          'server-timing': 'decode;dur=26.1, resize;dur=8',
        })
        .end(jpeg);
    const result = await client(['--verbose', 'photo.jpg', '-']);
    expect(result).toMatchObject({ code: 0, stdout: jpeg });
    expect(result.stderr.split('\n')).toEqual([
      'image-client: 6 bytes of image/jpeg, 3 × 1 pixels',
      'image-client: cache: image-processor; hit',
      'image-client: stages: decode;dur=26.1, resize;dur=8',
      '',
    ]);
  });

  it('prints only errors with --quiet', async () => {
    const result = await client(['-q', '--format', 'jpeg', 'photo.jpg', '-o', 'output.png']);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(await readFile(join(folder, 'output.png'))).toEqual(jpeg);
  });

  it('prints one JSON object with --json, whose members are null without a header', async () => {
    const headers = {
      'image-width': '224',
      'image-height': '160',
      'tensor-datatype': 'FP32',
      'tensor-shape': '1, 3, 160, 224',
      'image-source': 'jpeg;width=60;height=40;bytes=7;sha256="abc1"',
      'image-numerics': '"3+pillow-13.0"',
      'image-decisions': '"frame=1 of 2", "a \\"quoted\\" one"',
      etag: '"0123"',
      'cache-status': 'image-processor; hit; detail=memory',
      'server-timing': 'decode;dur=26.1, resize;dur=8',
    };
    respond = (response) => response.writeHead(200, { 'content-type': 'image/jpeg', ...headers }).end(jpeg);
    const result = await client(['--json', 'photo.jpg', 'output.jpg']);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout.toString()).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(result.stdout.toString())).toEqual({
      output: 'output.jpg',
      bytes: 6,
      content_type: 'image/jpeg',
      width: 224,
      height: 160,
      tensor: { datatype: 'FP32', shape: [1, 3, 160, 224] },
      source: { format: 'jpeg', width: 60, height: 40, bytes: 7, sha256: 'abc1' },
      numerics: '3+pillow-13.0',
      decisions: ['frame=1 of 2', 'a "quoted" one'],
      key: '0123',
      cache: 'hit',
      stages: { decode: 26.1, resize: 8 },
    } satisfies ImageSummary);
    respond = (response) => response.writeHead(200, { 'content-type': 'image/jpeg' }).end(jpeg);
    const bare = await client(['--json', 'photo.jpg', 'output.jpg']);
    expect(JSON.parse(bare.stdout.toString())).toEqual({
      output: 'output.jpg',
      bytes: 6,
      content_type: 'image/jpeg',
      width: null,
      height: null,
      tensor: null,
      source: null,
      numerics: null,
      decisions: [],
      key: null,
      cache: null,
      stages: {},
    } satisfies ImageSummary);
  });

  it('prints its version', async () => {
    for (const argv of [['--version'], ['-V'], ['job', '-V']]) {
      const { stdout } = await client(argv);
      expect(stdout.toString()).toBe(`image-client ${packageJson.version}\n`);
    }
  });

  it('ends without an error when the reader of its help has closed the pipe', async () => {
    const result = await client(['--help'], { started: (child) => child.stdout?.destroy() });
    expect(result).toMatchObject({ code: 0, stderr: '' });
  });

  it('takes paths from where the user stands when npm runs it in the package', async () => {
    const cwd = join(root, 'test');
    const [input, output] = ['photo.jpg', 'output.jpg'].map((name) => relative(cwd, join(folder, name)));
    const npm = findProgram('npm') ?? 'npm';
    const result = await client([input ?? '', output ?? ''], {
      program: [npm, 'run', '-s', 'client', '--'],
      cwd,
    });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(await readFile(join(folder, 'output.jpg'))).toEqual(jpeg);
  });

  it('takes paths from its own folder when a script of another package runs it', async () => {
    const env = { npm_lifecycle_event: 'client', npm_package_json: '/elsewhere/package.json', INIT_CWD: '/' };
    expect(await client(['photo.jpg', 'output.jpg'], { env })).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('image-client: the output file', () => {
  it('replaces a file and keeps its permissions', async () => {
    await writeFile(join(folder, 'output.jpg'), 'from before');
    await chmod(join(folder, 'output.jpg'), 0o600);
    await client(['photo.jpg', 'output.jpg']);
    expect(await readFile(join(folder, 'output.jpg'))).toEqual(jpeg);
    expect((await stat(join(folder, 'output.jpg'))).mode & 0o777).toBe(0o600);
  });

  it('is kept with --no-overwrite, also one that appears meanwhile', async () => {
    respond = async (response) => {
      await writeFile(join(folder, 'output.jpg'), 'from another');
      response.writeHead(200, { 'content-type': 'image/jpeg' }).end(jpeg);
    };
    for (const requests of [1, 1]) {
      const result = await client(['--no-overwrite', 'photo.jpg', 'output.jpg']);
      expect(result).toMatchObject({
        code: 5,
        stderr: 'image-client: OUTPUT_EXISTS: "output.jpg" exists, and --no-overwrite keeps it.\n',
      });
      expect(received).toHaveLength(requests);
      expect(await readFile(join(folder, 'output.jpg'), 'utf8')).toBe('from another');
      expect(await written()).toEqual(['output.jpg']);
    }
    expect(await client(['--no-overwrite', 'photo.jpg', 'new.jpg'])).toMatchObject({ code: 0, stderr: '' });
    expect(await readFile(join(folder, 'new.jpg'))).toEqual(jpeg);
  });

  it('writes through a symbolic link', async () => {
    await mkdir(join(folder, 'elsewhere'));
    await writeFile(join(folder, 'elsewhere', 'real.jpg'), 'from before');
    await symlink('elsewhere/real.jpg', join(folder, 'output.jpg'));
    await client(['photo.jpg', 'output.jpg']);
    expect(await readlink(join(folder, 'output.jpg'))).toBe('elsewhere/real.jpg');
    expect(await readFile(join(folder, 'elsewhere', 'real.jpg'))).toEqual(jpeg);
    expect(await readdir(join(folder, 'elsewhere'))).toEqual(['real.jpg']);
  });

  it('writes into a named pipe and leaves the pipe in its place', async () => {
    expect(await run('mkfifo', [join(folder, 'pipe')])).toMatchObject({ code: 0 });
    const [content, result] = await Promise.all([
      readFile(join(folder, 'pipe')),
      client(['photo.jpg', 'pipe']),
    ]);
    expect(result.code).toBe(0);
    expect(content).toEqual(jpeg);
    expect((await stat(join(folder, 'pipe'))).isFIFO()).toBe(true);
  });

  it('stays as it was when the response breaks off', async () => {
    await writeFile(join(folder, 'output.jpg'), 'from before');
    respond = (response) => {
      response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': '1000' });
      response.write('half', () => response.destroy());
    };
    const result = await client(['photo.jpg', 'output.jpg']);
    expect(result.code).toBe(4);
    expect(result.stderr).toMatch(/^image-client: SERVICE_UNREACHABLE: .*\n$/);
    expect(await written()).toEqual(['output.jpg']);
    expect(await readFile(join(folder, 'output.jpg'), 'utf8')).toBe('from before');
  });

  it('stays as it was when the disk is full', async () => {
    await writeFile(join(folder, 'output.jpg'), 'from before');
    respond = (response) =>
      response.writeHead(200, { 'content-type': 'image/jpeg' }).end(Buffer.alloc(1024 * 1024));
    // A limit on the size of files has the same effect as a full disk: the first write is cut short.
    const command = `ulimit -f 1; exec '${process.execPath}' '${program}' photo.jpg output.jpg`;
    const result = await run('sh', ['-c', command], { cwd: folder, env: { IMAGE_API_URL: api } });
    expect(result).toMatchObject({
      code: 5,
      stderr: 'image-client: OUTPUT_UNWRITABLE: "output.jpg" cannot be written: file too large.\n',
    });
    expect(await written()).toEqual(['output.jpg']);
    expect(await readFile(join(folder, 'output.jpg'), 'utf8')).toBe('from before');
  });

  it.each([
    ['the same path', async () => 'photo.jpg'],
    ['another path', async () => '../folder/./photo.jpg'.replace('folder', basename(folder))],
    [
      'a symbolic link',
      async () => {
        await symlink('photo.jpg', join(folder, 'link.jpg'));
        return 'link.jpg';
      },
    ],
    [
      'a hard link',
      async () => {
        await link(join(folder, 'photo.jpg'), join(folder, 'hard.jpg'));
        return 'hard.jpg';
      },
    ],
  ])('is never the input, named by %s', async (_, makeOutput) => {
    const output = await makeOutput();
    const result = await client(['photo.jpg', output]);
    expect(result).toMatchObject({
      code: 2,
      stderr: `image-client: OUTPUT_IS_SOURCE: "${output}" is the input file itself, which is never replaced; name another output.\n`,
    });
    expect(await readFile(join(folder, 'photo.jpg'), 'utf8')).toBe('a photo');
    expect(received).toEqual([]);
  });

  it('must have the ending of a format', async () => {
    const result = await client(['photo.jpg', 'output.tiff']);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('image-client: USAGE: "output.tiff" has an ending of no output format');
    expect(received).toEqual([]);
    expect(await written()).toEqual([]);
  });

  it('is not created when the image is refused', async () => {
    respond = (response) => problem(response, 422, { reason: 'IMAGE_CORRUPT', detail: 'No.' });
    await client(['photo.jpg', 'output.jpg']);
    expect(await written()).toEqual([]);
  });
});

/** `script` runs a program on a terminal of its own. */
const script = findProgram('script');

describe('image-client: how it ends', () => {
  it.each([
    [400, 'OPTION_INVALID', 3],
    [413, 'SOURCE_BYTES_OVER_LIMIT', 3],
    [422, 'IMAGE_CORRUPT', 3],
    [429, 'RATE_LIMITED', 4],
    [500, 'INTERNAL', 1],
    [502, 'ORIGIN_STATUS', 3],
    [503, 'OVERLOADED', 4],
    [504, 'DEADLINE_EXCEEDED', 4],
    [504, 'ORIGIN_TIMEOUT', 4],
  ])(
    'for a problem of status %i %s with exit code %i and its detail in one line',
    async (status, reason, code) => {
      respond = (response) =>
        problem(response, status, { status, reason, title: 'Title', detail: 'The detail.' });
      const result = await client(['photo.jpg', 'output.jpg']);
      expect(result).toMatchObject({ code, stderr: `image-client: ${reason}: The detail.\n` });
    },
  );

  it('prints no control character of a problem', async () => {
    const detail = 'first\nsecond \u001b[31mred\u0007';
    respond = (response) => problem(response, 400, { reason: 'OPTION_INVALID', detail });
    const result = await client(['photo.jpg', 'output.jpg']);
    expect(result.stderr).toBe('image-client: OPTION_INVALID: first second [31mred\n');
  });

  it('prints the title of a problem without detail, and the status of one without reason', async () => {
    respond = (response) => problem(response, 404, { title: 'There is nothing at this path' });
    const result = await client(['photo.jpg', 'output.jpg']);
    expect(result).toMatchObject({
      code: 3,
      stderr: 'image-client: HTTP_404: There is nothing at this path\n',
    });
  });

  it('with 4 when a proxy reports that the service is unavailable', async () => {
    respond = (response) =>
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');
    const result = await client(['photo.jpg', 'output.jpg']);
    expect(result).toMatchObject({
      code: 4,
      stderr:
        `image-client: HTTP_502: ${api} responded with 502 Bad Gateway and text/html, unlike image-api; ` +
        '--api sets the address of image-api.\n',
    });
  });

  it('with 1 when the server is not image-api', async () => {
    // Its response never ends; the client does not wait for it.
    respond = (response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).write('<h1>Welcome</h1>');
    const result = await client(['photo.jpg', 'output.jpg']);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(
      /^image-client: ANSWER_UNKNOWN: .* responded with 200 OK and text\/html, unlike .*\n$/,
    );
    expect(await written()).toEqual([]);
  });

  it('with 1 at a redirect, which image-api never sends', async () => {
    respond = (response) => response.writeHead(302, { location: `${api}/elsewhere` }).end();
    const result = await client(['photo.jpg', 'output.jpg']);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/^image-client: HTTP_302: /);
    expect(received.length).toBe(1);
  });

  it('with 4 when nothing listens', async () => {
    const closed = createServer();
    await once(closed.listen(0, '127.0.0.1'), 'listening');
    const nowhere = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
    await once(closed.close(), 'close');
    const result = await client(['photo.jpg', 'output.jpg'], { env: { IMAGE_API_URL: nowhere } });
    expect(result).toMatchObject({
      code: 4,
      stderr:
        `image-client: SERVICE_UNREACHABLE: ${nowhere} cannot be reached (ECONNREFUSED); ` +
        '--api sets the address of image-api.\n',
    });
  });

  it('with 4 when the service is slower than --timeout', async () => {
    respond = () => {};
    const result = await client(['--timeout', '0.2', 'photo.jpg', 'output.jpg']);
    expect(result).toMatchObject({
      code: 4,
      stderr: `image-client: TIMEOUT: ${api} did not respond within 0.2 s; --timeout sets a longer time.\n`,
    });
  });

  it('with 2 for bad usage, and sends nothing', async () => {
    for (const parameters of [
      ['photo.jpg'],
      ['--wdth', '3', 'photo.jpg', 'a'],
      ['--width', '-3', 'photo.jpg', 'a'],
    ]) {
      const result = await client(parameters);
      expect(result.code).toBe(2);
      expect(result.stderr).toMatch(/^image-client: USAGE: .*\n$/);
    }
    expect(received).toEqual([]);
  });

  it('with 2 for an input file that does not exist', async () => {
    const result = await client(['gone.jpg', 'output.jpg']);
    expect(result).toMatchObject({
      code: 2,
      stderr: 'image-client: INPUT_MISSING: There is no file "gone.jpg".\n',
    });
  });

  it('with 5 for an input that cannot be read', async () => {
    const result = await client(['.', 'output.jpg']);
    expect(result).toMatchObject({
      code: 5,
      stderr:
        'image-client: INPUT_UNREADABLE: "." is a folder; "image-client job" processes the images in it.\n',
    });
  });

  it('with 5 for an output that cannot be written', async () => {
    expect(await client(['photo.jpg', 'gone/output.jpg'])).toMatchObject({
      code: 5,
      stderr:
        'image-client: OUTPUT_UNWRITABLE: "gone/output.jpg" cannot be written: there is no folder "gone".\n',
    });
    await mkdir(join(folder, 'taken'));
    expect(await client(['photo.jpg', 'taken'])).toMatchObject({
      code: 5,
      stderr:
        'image-client: OUTPUT_UNWRITABLE: "taken" cannot be written: it is a folder; name a file in it.\n',
    });
  });

  it('with 5 when the reader of standard output has closed it', async () => {
    respond = (response) =>
      response.writeHead(200, { 'content-type': 'image/jpeg' }).end(Buffer.alloc(1024 * 1024));
    const result = await client(['photo.jpg', '-'], { started: (child) => child.stdout?.destroy() });
    expect(result).toMatchObject({
      code: 5,
      stderr: 'image-client: OUTPUT_UNWRITABLE: Standard output cannot be written: broken pipe.\n',
    });
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('for %s with %i, and leaves nothing', async (signal, code) => {
    const requests = Promise.withResolvers<void>();
    respond = (response) => {
      response.writeHead(200, { 'content-type': 'image/jpeg' });
      response.write('half', () => requests.resolve());
    };
    const result = await client(['photo.jpg', 'output.jpg'], {
      started: (child) => requests.promise.then(() => child.kill(signal)),
    });
    expect(result).toMatchObject({ code, stderr: 'image-client: INTERRUPTED: nothing was written.\n' });
    expect(await written()).toEqual([]);
  });

  it.skipIf(script === undefined)('with 2 rather than write an image to a terminal', async () => {
    const command = `'${process.execPath}' '${program}' photo.jpg -`;
    const result = await run(script ?? '', ['--quiet', '--return', '--command', command, '/dev/null'], {
      cwd: folder,
      env: { IMAGE_API_URL: api },
    });
    expect(result.code).toBe(2);
    expect(result.stdout.toString()).toMatch(/^image-client: USAGE: Standard output is a terminal, /);
    expect(received).toEqual([]);
  });
});
