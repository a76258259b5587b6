import { createHash } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import process from 'node:process';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Health } from '../../gen/grpc/health/v1/health_pb.ts';
import { withComment } from './comment.ts';
import type { HealthCheck, LoadMark, LoadRecord, LoadRequest, LoadResult, LoadSpec, Turn } from './load.ts';
import { goFirst } from './priority.ts';
import { type Waits, watchWaits } from './waits.ts';

/*
 * The process that load.ts starts: sends requests by node:http over kept connections, and records when bytes are sent and arrive.
 */

const records: LoadRecord[] = [];
const health: Record<string, HealthCheck[]> = {};
const agent = new Agent({ keepAlive: true });
const slow = new Set<Socket>();
const longestAfterEndMs = 5000;
/** Responses within these milliseconds hold every promise, whatever kept them waiting. */
const quickMs = 20;
/** Wait of a caller that was refused. */
const refusedMs = 100;
let waits: Waits = { since: () => 0 };
/** Unset before the load begins and after its end. */
let current: Turn | undefined;
let inFlight = 0;
let serial = 0;
let start = 0;
const now = () => performance.now() - start;
const idle = Promise.withResolvers<void>();

goFirst();
process.on('message', (message: LoadSpec | Turn | 'mark' | 'stop') => {
  if (message === 'stop') void tell();
  else if (message === 'mark') mark();
  else if ('url' in message) begin(message);
  else turnTo(message);
});
process.send?.('ready');

let url = '';

function begin(spec: LoadSpec): void {
  start = performance.now();
  url = spec.url;
  if (spec.servers !== undefined) waits = watchWaits(spec.servers);
  turnTo(spec);
  if (spec.health !== undefined) watchHealth(spec.health);
}

function turnTo(turn: Turn): void {
  current = turn;
  if ('inFlight' in turn.pace) {
    for (let count = 0; count < turn.pace.inFlight; count++) void keepSending(turn);
  } else {
    void sendEvenly(turn, turn.pace.perSecond);
  }
  mark();
}

function mark(): void {
  const mark: LoadMark = { atMs: now(), good: records.filter(({ status }) => status === 200).length };
  process.send?.(mark);
}

async function keepSending(turn: Turn): Promise<void> {
  while (current === turn) {
    const { status } = await sendNext(turn);
    // Attempts without a wait would keep the cores from what the attempts wait for.
    if (status !== 200) await pause(status === 503 ? refusedMs : 10);
  }
}

/** At their times, however late the timer is. */
async function sendEvenly(turn: Turn, perSecond: number): Promise<void> {
  const begun = now();
  for (let sent = 0; current === turn; ) {
    const due = ((now() - begun) / 1000) * perSecond;
    for (; sent < due; sent++) void sendNext(turn);
    await pause(2);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function sendNext({ requests }: Turn): Promise<{ status: number }> {
  const request = requests[serial % requests.length] as LoadRequest;
  serial++;
  const { body } = request;
  if (request.manner === 'slowly') return sendSlowly(request.path, body ?? new Uint8Array());
  const parts =
    body === undefined ? [] : request.isFresh ? withComment(body, `${process.pid} ${serial}`) : [body];
  inFlight++;
  const record = await (request.manner === 'leaves' ? sendAndLeave(request, parts) : send(request, parts));
  inFlight--;
  if (record !== undefined) records.push(record);
  if (current === undefined && inFlight === 0) idle.resolve();
  return record ?? { status: 499 };
}

function optionsOf({ body, contentType }: LoadRequest, parts: readonly Uint8Array[]) {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const headers = { 'content-type': contentType ?? 'application/octet-stream', 'content-length': length };
  return body === undefined ? { agent } : { agent, method: 'POST', headers };
}

function send(request: LoadRequest, parts: readonly Uint8Array[]): Promise<LoadRecord> {
  return new Promise((resolve) => {
    const startedAt = now();
    let sentAt = startedAt;
    let firstByteAt = Number.NaN;
    let withoutCore = 0;
    const end = (status: number, reason: string, isWrong = false): void => {
      resolve({
        kind: request.kind,
        startedAt,
        endedAt: now(),
        status,
        reason,
        answeredAfter: firstByteAt - sentAt,
        withoutCore,
        isWrong,
      });
    };
    const call = httpRequest(url + request.path, optionsOf(request, parts), (response) => {
      firstByteAt = now();
      if (firstByteAt - sentAt > quickMs) withoutCore = waits.since(start + sentAt);
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error) => end(0, error.message));
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        const answer = Buffer.concat(chunks);
        if (status !== 200) return end(status, reasonOf(answer));
        const isWrong =
          request.answer !== undefined &&
          createHash('sha256').update(answer).digest('hex') !== request.answer;
        end(status, 'OK', isWrong);
      });
    });
    call.on('finish', () => {
      sentAt = now();
    });
    call.on('error', (error) => end(0, error.message));
    for (const part of parts) call.write(part);
    call.end();
  });
}

function reasonOf(answer: Buffer): string {
  try {
    // An error of Connect has a code where a problem has its reason.
    const { reason, code } = JSON.parse(answer.toString());
    return String(reason ?? code);
  } catch {
    return 'no problem+json';
  }
}

function sendAndLeave(request: LoadRequest, parts: readonly Uint8Array[]): Promise<undefined> {
  return new Promise((resolve) => {
    const call = httpRequest(url + request.path, { ...optionsOf(request, parts), agent: false }, (response) =>
      response.resume(),
    );
    call.on('error', () => {});
    call.on('close', () => resolve(undefined));
    const isHalf = serial % 2 === 0;
    for (const part of parts) call.write(isHalf ? part.subarray(0, part.length / 2) : part);
    setTimeout(() => call.destroy(), 5);
  });
}

/** Until the other side has enough of it. */
function sendSlowly(path: string, body: Uint8Array): { status: number } {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  slow.add(socket);
  socket.on('error', () => {});
  socket.resume();
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: image/jpeg\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  let sent = 0;
  const timer = setInterval(() => {
    socket.write(body.subarray(sent, sent + 1000));
    sent += 1000;
  }, 1000);
  socket.on('close', () => {
    clearInterval(timer);
    slow.delete(socket);
  });
  return { status: 499 };
}

function watchHealth(processors: readonly string[]): void {
  const checks = [
    { name: 'GET /healthz', check: () => fetch(`${url}/healthz`).then((answer) => answer.text()) },
    ...processors.map((baseUrl) => {
      const client = createClient(Health, createGrpcTransport({ baseUrl }));
      return { name: 'grpc.health.v1.Health/Check', check: () => client.check({}) };
    }),
  ];
  for (const { name, check } of checks) {
    const checks: HealthCheck[] = health[name] ?? [];
    health[name] = checks;
    const look = async (): Promise<void> => {
      while (current !== undefined) {
        const before = now();
        const isWell = await check().then(
          () => true,
          () => false,
        );
        const ms = now() - before;
        const withoutCore = ms > quickMs ? waits.since(start + before, true) : 0;
        checks.push({ ms: isWell ? ms : Number.POSITIVE_INFINITY, withoutCore });
        await pause(100);
      }
    };
    // The first makes the connection.
    void check().then(look, look);
  }
}

async function tell(): Promise<void> {
  current = undefined;
  const durationMs = now();
  if (inFlight > 0) await Promise.race([idle.promise, pause(longestAfterEndMs)]);
  for (const socket of slow) socket.destroy();
  agent.destroy();
  const result: LoadResult = { records, durationMs, health };
  process.send?.(result);
  process.once('disconnect', () => process.exit());
}
