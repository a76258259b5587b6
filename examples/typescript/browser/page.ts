import { ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.ts';
import { ProcessorService } from '../../../gen/image/v1/processor_pb.ts';

/*
 * Connect from a web page to image-api: whatever file is chosen is shown as it comes back, 1024 × 768 and gray.
 */

const api = new URLSearchParams(location.search).get('api') ?? 'http://localhost:8080';
const client = createClient(ProcessorService, createConnectTransport({ baseUrl: api }));

const chooser = document.querySelector<HTMLInputElement>('#file');
const picture = document.querySelector<HTMLImageElement>('#picture');
const words = document.querySelector<HTMLElement>('#words');
if (chooser === null || picture === null || words === null) throw new Error('the page lacks an element');

chooser.addEventListener('change', async () => {
  const file = chooser.files?.[0];
  if (file === undefined) return;
  try {
    const { content, contentType, width, height } = await client.process({
      source: { case: 'content', value: new Uint8Array(await file.arrayBuffer()) },
      resize: { width: 1024, height: 768 },
      grayscale: true,
    });
    URL.revokeObjectURL(picture.src);
    picture.src = URL.createObjectURL(new Blob([content as Uint8Array<ArrayBuffer>], { type: contentType }));
    words.textContent = `${contentType}, ${width} × ${height}`;
  } catch (error) {
    const failure = ConnectError.from(error);
    const [info] = failure.findDetails(ErrorInfoSchema);
    words.textContent = `${info?.reason ?? failure.code}: ${failure.rawMessage}`;
  }
});
