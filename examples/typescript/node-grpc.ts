import { readFile, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { ImageFormat, ProcessorService } from '../../gen/image/v1/processor_pb.ts';

/*
 * gRPC from Node straight to image-processor: makes an image 1024 × 768 and gray.
 *
 * node node-grpc.ts photo.jpg gray.webp
 */

const [source, target] = process.argv.slice(2);
if (source === undefined || target === undefined) throw new Error('node node-grpc.ts PHOTO OUTPUT');

const client = createClient(
  ProcessorService,
  createGrpcTransport({
    baseUrl: `http://${process.env.IMAGE_PROCESSOR_URL ?? 'localhost:50051'}`,
    // Node holds 10 MB a connection by default, which a few images in flight exceed.
    nodeOptions: { maxSessionMemory: 1000 },
    defaultTimeoutMs: 30_000,
    acceptCompression: [],
  }),
);

try {
  const { content, contentType, width, height } = await client.process({
    source: { case: 'content', value: await readFile(source) },
    resize: { width: 1024, height: 768 },
    grayscale: true,
    output: { case: 'image', value: { format: ImageFormat.WEBP } },
  });
  await writeFile(target, content);
  console.log(`${contentType}, ${width} × ${height}, ${content.length} bytes`);
} catch (error) {
  const failure = ConnectError.from(error);
  const [info] = failure.findDetails(ErrorInfoSchema);
  console.error(`${info?.reason ?? failure.code}: ${failure.rawMessage}`);
  process.exitCode = 1;
}
