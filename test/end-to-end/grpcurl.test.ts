import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decoded, encoded, redGreenBlue } from '../support/pictures.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { grpcurl } from '../support/tools.ts';

/* grpcurl knows only the address of the service and gets everything else by reflection. */
describe.skipIf(grpcurl === undefined)('grpcurl against image-processor', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.stop());

  const curl = (parameters: readonly string[], messages: readonly unknown[] = []) =>
    run(grpcurl ?? '', ['-plaintext', ...parameters], {
      input: messages.map((message) => JSON.stringify(message)).join('\n'),
    });

  /** Calls a method with the messages and returns the responses, which grpcurl prints one after the other. */
  async function call(method: string, ...messages: unknown[]): Promise<Record<string, unknown>[]> {
    const result = await curl(['-d', '@', service.address, `image.v1.ProcessorService/${method}`], messages);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    return JSON.parse(
      `[${result.stdout
        .toString()
        .trim()
        .replace(/^\}\n\{$/gm, '},{')}]`,
    );
  }

  it('lists the services with no flags', async () => {
    const result = await curl([service.address, 'list']);
    expect(result.stdout.toString().trim().split('\n')).toEqual([
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'image.v1.ProcessorService',
    ]);
  });

  it('reports that the service serves', async () => {
    const result = await curl([service.address, 'grpc.health.v1.Health/Check']);
    expect(JSON.parse(result.stdout.toString())).toEqual({ status: 'SERVING' });
  });

  it('sends red, green and blue and gets them as 76, 150 and 29', async () => {
    const png = Buffer.from(await encoded(redGreenBlue, 'png')).toString('base64');
    const [response] = await call('Process', { content: png, grayscale: true });
    expect(response).toMatchObject({
      contentType: 'image/png',
      width: 3,
      height: 1,
      source: { format: 'IMAGE_FORMAT_PNG', width: 3, height: 1 },
    });
    const gray = await decoded(Buffer.from(String(response?.content), 'base64'));
    expect(gray).toEqual({ pixels: new Uint8Array([76, 150, 29]), width: 3, height: 1, channels: 1 });
  });

  it('shows the reason of a failure', async () => {
    const text = Buffer.from('no image at all').toString('base64');
    const result = await curl(
      ['-d', '@', service.address, 'image.v1.ProcessorService/Process'],
      [{ content: text }],
    );
    // 64 and the gRPC code, INVALID_ARGUMENT.
    expect(result.code).toBe(64 + 3);
    expect(result.stderr).toContain('Code: InvalidArgument');
    expect(result.stderr).toContain('"@type": "type.googleapis.com/google.rpc.ErrorInfo"');
    expect(result.stderr).toContain('"domain": "image.v1"');
    expect(result.stderr).toContain('"reason": "FORMAT_UNSUPPORTED"');
  });

  it('streams images, of which one may fail and the others do not', async () => {
    const png = Buffer.from(await encoded(redGreenBlue, 'png')).toString('base64');
    const responses = await call(
      'ProcessStream',
      { id: 'first', request: { content: png, grayscale: true } },
      { id: 'second', request: {} },
      { id: 'third', request: { content: png, resize: { width: 6, height: 2 } } },
    );
    responses.sort((a, b) => String(a.id).localeCompare(String(b.id)));
    expect(responses).toMatchObject([
      { id: 'first', response: { width: 3, height: 1 } },
      { id: 'second', failure: { code: 3, reason: 'SOURCE_MISSING' } },
      { id: 'third', response: { width: 6, height: 2 } },
    ]);
  });
});
