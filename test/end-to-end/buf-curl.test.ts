import { fromBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { decoded, encoded, redGreenBlue } from '../support/pictures.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { buf } from '../support/tools.ts';

describe.skipIf(buf === undefined)('buf curl', () => {
  let service: Service;
  let request: { content: string; grayscale: boolean };
  beforeAll(async () => {
    service = await startService();
    request = {
      content: Buffer.from(await encoded(redGreenBlue, 'png')).toString('base64'),
      grayscale: true,
    };
  });
  afterAll(() => service.stop());

  const curl = (parameters: readonly string[], origin: string, message: unknown) =>
    run(buf ?? '', ['curl', ...parameters, '--data', '@-', `${origin}/image.v1.ProcessorService/Process`], {
      input: JSON.stringify(message),
    });

  const pixelsOf = async (stdout: Buffer) => {
    const response: { content: string } = JSON.parse(stdout.toString());
    return (await decoded(Buffer.from(response.content, 'base64'))).pixels;
  };

  it.each(['grpc', 'grpcweb'])(
    'calls image-processor over %s by reflection and gets gray pixels',
    async (protocol) => {
      const result = await curl(
        ['--protocol', protocol, '--http2-prior-knowledge'],
        `http://${service.address}`,
        request,
      );
      expect(result).toMatchObject({ code: 0, stderr: '' });
      expect(await pixelsOf(result.stdout)).toEqual(new Uint8Array([76, 150, 29]));
    },
  );

  // image-api has no reflection: the contract comes from the file.
  it.each(['connect', 'grpcweb'])('calls image-api over %s and gets gray pixels', async (protocol) => {
    const result = await curl(['--protocol', protocol, '--schema', 'proto'], service.url, request);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(await pixelsOf(result.stdout)).toEqual(new Uint8Array([76, 150, 29]));
  });

  it.each([
    ['image-processor', ['--protocol', 'grpc', '--http2-prior-knowledge']],
    ['image-api', ['--protocol', 'connect', '--schema', 'proto']],
  ])('shows the reason of a failure of %s', async (name, parameters) => {
    const origin = name === 'image-api' ? service.url : `http://${service.address}`;
    const result = await curl(parameters, origin, { content: Buffer.from('no image').toString('base64') });
    expect(result.code).not.toBe(0);
    const error: { code: string; details: { type: string; value: string }[] } = JSON.parse(result.stderr);
    expect(error).toMatchObject({ code: 'invalid_argument', details: [{ type: 'google.rpc.ErrorInfo' }] });
    const info = fromBinary(ErrorInfoSchema, Buffer.from(error.details[0]?.value ?? '', 'base64'));
    expect(info).toMatchObject({ reason: 'FORMAT_UNSUPPORTED', domain: 'image.v1' });
  });
});
