import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** A Python program that responds to requests: each is a line of JSON, and the bytes that the line announces. */
export interface PythonPeer {
  request<Reply>(message: object, bytes?: Uint8Array): Promise<{ reply: Reply; bytes: Buffer }>;
  end(): void;
}

/** Whether this Python is there and has some modules. They are not loaded: torch takes seconds. */
export function hasModules(python: string, modules: readonly string[]): boolean {
  const script =
    'import sys, importlib.util as u; sys.exit(any(u.find_spec(name) is None for name in sys.argv[1:]))';
  return spawnSync(python, ['-c', script, ...modules], { stdio: 'ignore' }).status === 0;
}

/**
 * Starts a script that reads `{…, "bytes": n}` and n bytes, and responds in the same way, one request at a time.
 *
 * @param python - the interpreter
 */
export function startPython(python: string, script: URL): PythonPeer {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(python, [script.pathname], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const chunks = child.stdout[Symbol.asyncIterator]();
  let buffered: Buffer = Buffer.alloc(0);

  async function nextChunk(): Promise<Buffer> {
    const { value, done } = await chunks.next();
    if (done) throw new Error(`${python} ended without a response`);
    return value as Buffer;
  }

  async function readLine(): Promise<string> {
    while (!buffered.includes(10)) buffered = Buffer.concat([buffered, await nextChunk()]);
    const end = buffered.indexOf(10);
    const line = buffered.toString('utf8', 0, end);
    buffered = buffered.subarray(end + 1);
    return line;
  }

  async function readBytes(count: number): Promise<Buffer> {
    // Joined once: pixels come in thousands of chunks.
    const parts = [buffered];
    for (let length = buffered.length; length < count; ) {
      const chunk = await nextChunk();
      parts.push(chunk);
      length += chunk.length;
    }
    buffered = Buffer.concat(parts);
    const bytes = buffered.subarray(0, count);
    buffered = buffered.subarray(count);
    return bytes;
  }

  return {
    async request<Reply>(message: object, bytes: Uint8Array = new Uint8Array()) {
      child.stdin.write(`${JSON.stringify({ ...message, bytes: bytes.length })}\n`);
      if (!child.stdin.write(bytes)) await once(child.stdin, 'drain');
      const reply = JSON.parse(await readLine()) as Reply & { bytes: number };
      return { reply, bytes: await readBytes(reply.bytes) };
    },
    end: () => child.stdin.end(),
  };
}
