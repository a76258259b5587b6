import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { encoded, photoLike } from '../test/support/pictures.ts';

/*
 * The origin of the corpus' comparison, in a process of its own: `/N.jpg` is a photo-like picture of 640 × 480. Of 20 paths
 * one is never responded to, one is reset, one has another length than it declares, and one redirects to an address that
 * a downloader should not visit, where another server counts.
 */

/** Different pictures; each is sent under many paths with a mark of its own. */
const pictures = await Promise.all(
  Array.from({ length: 32 }, (_, seed) => encoded(photoLike(640, 480, seed), 'jpeg', { quality: 85 })),
);
let visits = 0;
const forbidden = createServer((_request, response) => {
  visits++;
  response.writeHead(200, { 'content-type': 'image/jpeg' }).end(pictures[0]);
});
const origin = createServer((request, response) => {
  const number = Number(/^\/(\d+)\.jpg$/.exec(request.url ?? '')?.[1] ?? 0);
  const fault = faults[number % 20];
  if (fault === undefined) send(response, number);
  else fault(response, number);
});
const faults: Readonly<Record<number, (response: ServerResponse, number: number) => void>> = {
  0: () => {},
  5: (response) => void response.socket?.resetAndDestroy(),
  10: lie,
  15: (response) => response.writeHead(302, { location: `${urlOf(forbidden)}/private.jpg` }).end(),
};

/** The picture of a number, with a comment behind it that makes its bytes unique. */
function pictureOf(number: number): Buffer {
  return Buffer.concat([pictures[number % pictures.length] as Uint8Array, Buffer.from(`#${number}`)]);
}

function send(response: ServerResponse, number: number): void {
  const body = pictureOf(number);
  response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': body.length }).end(body);
}

/** Declares twice the length and ends, or half of it. */
function lie({ socket }: ServerResponse, number: number): void {
  const body = pictureOf(number);
  const declared = number % 40 < 20 ? 2 * body.length : body.length >> 1;
  socket?.write(`HTTP/1.1 200 OK\r\ncontent-type: image/jpeg\r\ncontent-length: ${declared}\r\n\r\n`);
  socket?.end(body);
}

function urlOf(server: typeof origin): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

for (const server of [origin, forbidden]) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}
process.on('message', () => process.send?.(visits));
process.send?.(urlOf(origin));
