import { ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { ProcessorService, TensorContainer } from '../../gen/image/v1/processor_pb.ts';
import { encoded, solid } from '../support/pictures.ts';
import { type Service, startService } from '../support/service.ts';

describe('a batch over the API’s Connect interface', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service?.stop());

  const clientOf = () =>
    createClient(ProcessorService, createConnectTransport({ baseUrl: service.url, httpVersion: '1.1' }));
  const request = (value: Uint8Array) => ({
    source: { case: 'content', value } as const,
    preset: 'clip-vit-base-patch32',
    output: { case: 'tensor', value: { container: TensorContainer.NPY } } as const,
  });

  it('is one npy that contains its images in order', async () => {
    const black = await encoded(solid(40, 30, [0, 0, 0]), 'png');
    const white = await encoded(solid(30, 40, [255, 255, 255]), 'png');
    const { content, tensors, images } = await clientOf().processBatch({
      requests: [request(black), request(white)],
    });
    expect(tensors[0]?.shape).toEqual([2n, 3n, 224n, 224n]);
    expect(images.length).toBe(2);
    const bytes = Buffer.from(content);
    const start = 10 + bytes.readUInt16LE(8);
    expect(bytes.toString('latin1', 10, start)).toContain("'shape': (2, 3, 224, 224)");
    const one = 3 * 224 * 224 * 4;
    expect(bytes.length - start).toBe(2 * one);
    expect(bytes.readFloatLE(start)).toBeCloseTo((0 - 0.48145466) / 0.26862954, 6);
    expect(bytes.readFloatLE(start + one)).toBeCloseTo((1 - 0.48145466) / 0.26862954, 6);
  });

  it('fails by the index of the image that fails', async () => {
    const good = await encoded(solid(40, 30, [0, 0, 0]), 'png');
    const call = clientOf().processBatch({ requests: [request(good), request(good.subarray(0, 60))] });
    const error = ConnectError.from(await call.catch((thrown: unknown) => thrown));
    expect(error.findDetails(ErrorInfoSchema)[0]).toMatchObject({
      reason: 'IMAGE_CORRUPT',
      metadata: { index: '1' },
    });
  });
});
