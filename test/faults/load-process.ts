import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setPriority } from 'node:os';
import process from 'node:process';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Health } from '../../gen/grpc/health/v1/health_pb.ts';
import { withComment } from './comment.ts';
import type { HealthCheck, LoadRecord, LoadRequest, LoadResult, LoadSpec } from './load.ts';

/*
 * The process that load.ts starts: sends requests by node:http over kept connections, and records when bytes are sent and arrive.
 */

const records: LoadRecord[] = [];
const health: Record<string, HealthCheck[]> = {};
const agent = new Agent({ keepAlive: true });
const slow = new Set<Socket>();
const longestAfterEndMs = 5000;
let isOver = false;
let inFlight = 0;
let serial = 0;
let start = 0;
const now = () => performance.now() - start;
const idle = Promise.withResolvers<void>();

try {
  // Only root may, and only it needs to.
  setPriority(-15);
} catch {
  // Then its times are longer than the service's.
}
process.on('message', (message: LoadSpec | 'stop') => {
  if (message === 'stop') void tell();
  else begin(message);
});
process.send?.('ready');

function begin(spec: LoadSpec): void {
  start = performance.now();
  if ('inFlight' in spec.pace) {
    for (let count = 0; count < spec.pace.inFlight; count++) void keepSending(spec);
  } else {
    void sendEvenly(spec, spec.pace.perSecond);
  }
  if (spec.health !== undefined) watchHealth(spec, spec.health);
  process.send?.('begun');
}

async function keepSending(spec: LoadSpec): Promise<void> {
  while (!isOver) {
    const { status } = await sendNext(spec);
    // A thousand attempts a second do not reach an unreachable service any sooner.
    if (status === 0) await pause(10);
  }
}

/** At their times, however late the timer is. */
async function sendEvenly(spec: LoadSpec, perSecond: number): Promise<void> {
  for (let sent = 0; !isOver; ) {
    const due = (now() / 1000) * perSecond;
    for (; sent < due; sent++) void sendNext(spec);
    await pause(2);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function sendNext({ url, requests, servers = [] }: LoadSpec): Promise<{ status: number }> {
  const request = requests[serial % requests.length] as LoadRequest;
  serial++;
  const { body } = request;
  if (request.manner === 'slowly') return sendSlowly(url, request.path, body ?? new Uint8Array());
  const parts =
    body === undefined ? [] : request.isFresh ? withComment(body, `${process.pid} ${serial}`) : [body];
  inFlight++;
  const record = await (request.manner === 'leaves'
    ? sendAndLeave(url, request, parts)
    : send(url, request, parts, servers));
  inFlight--;
  if (record !== undefined) records.push(record);
  if (isOver && inFlight === 0) idle.resolve();
  return record ?? { status: 499 };
}

function optionsOf({ body, contentType }: LoadRequest, parts: readonly Uint8Array[]) {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const headers = { 'content-type': contentType ?? 'application/octet-stream', 'content-length': length };
  return body === undefined ? { agent } : { agent, method: 'POST', headers };
}

function send(
  url: string,
  request: LoadRequest,
  parts: readonly Uint8Array[],
  servers: readonly number[],
): Promise<LoadRecord> {
  return new Promise((resolve) => {
    const startedAt = now();
    let sentAt = startedAt;
    let waitsBefore = servers.map(waitOf);
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
      withoutCore = Math.max(0, ...servers.map((pid, at) => waitOf(pid) - (waitsBefore[at] ?? 0)));
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
      waitsBefore = servers.map(waitOf);
    });
    call.on('error', (error) => end(0, error.message));
    for (const part of parts) call.write(part);
    call.end();
  });
}

/** Milliseconds that a main thread has been ready to run and didn't: the second figure of /proc/pid/schedstat, in ns. */
function waitOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e6;
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

function sendAndLeave(url: string, request: LoadRequest, parts: readonly Uint8Array[]): Promise<undefined> {
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
function sendSlowly(url: string, path: string, body: Uint8Array): { status: number } {
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

function watchHealth({ url: api, servers = [] }: LoadSpec, processors: readonly string[]): void {
  const checks = [
    { name: 'GET /healthz', check: () => fetch(`${api}/healthz`).then((answer) => answer.text()) },
    ...processors.map((baseUrl) => {
      const client = createClient(Health, createGrpcTransport({ baseUrl }));
      return { name: 'grpc.health.v1.Health/Check', check: () => client.check({}) };
    }),
  ];
  for (const { name, check } of checks) {
    const checks: HealthCheck[] = health[name] ?? [];
    health[name] = checks;
    const look = async (): Promise<void> => {
      while (!isOver) {
        const before = now();
        const waitsBefore = servers.map(waitOf);
        const ownBefore = waitOf(process.pid);
        const isWell = await check().then(
          () => true,
          () => false,
        );
        const waits = servers.map((pid, at) => waitOf(pid) - (waitsBefore[at] ?? 0));
        const withoutCore = waitOf(process.pid) - ownBefore + Math.max(0, ...waits);
        checks.push({ ms: isWell ? now() - before : Number.POSITIVE_INFINITY, withoutCore });
        await pause(100);
      }
    };
    // The first makes the connection.
    void check().then(look, look);
  }
}

async function tell(): Promise<void> {
  isOver = true;
  const durationMs = now();
  if (inFlight > 0) await Promise.race([idle.promise, pause(longestAfterEndMs)]);
  for (const socket of slow) socket.destroy();
  agent.destroy();
  const result: LoadResult = { records, durationMs, health };
  process.send?.(result);
  process.once('disconnect', () => process.exit());
}
