import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { run } from '../support/run.ts';
import { findProgram } from '../support/tools.ts';

const start = fileURLToPath(new URL('../../src/start/main.ts', import.meta.url));
const apiMain = fileURLToPath(new URL('../../src/api/main.ts', import.meta.url));
const sample = fileURLToPath(new URL('../fixtures/sample.jpg', import.meta.url));
const canUnshare =
  process.getuid?.() === 0 && findProgram('unshare') && findProgram('ip') && findProgram('curl');

/**
 * Starts both services in a network namespace of its own, which the kernel removes with its last process, and sends one
 * image.
 *
 * @param loopback - shell commands that set up the loopback interface
 * @param curlHost - host of the URL that is called
 */
function sendInNamespace(loopback: string, curlHost: string) {
  const script = `set -e
    ${loopback}
    '${process.execPath}' '${start}' >/dev/null & service=$!
    trap 'kill $service 2>/dev/null; wait $service || true' EXIT
    for _ in $(seq 200); do
      curl -sf -o /dev/null 'http://${curlHost}:8080/readyz' && break
      sleep 0.1
    done
    curl -sS --fail-with-body -F 'image=@${sample}' 'http://${curlHost}:8080/v1/images?width=32&height=24' -o /dev/null -w '%{http_code} %{content_type}'`;
  return run('unshare', ['--net', 'sh', '-c', script], {
    env: { HOST: '::', WORKERS: '1', PORT: undefined, PROCESSOR_URL: undefined },
  });
}

describe.skipIf(!canUnshare)('HOST=::', () => {
  it('serves where there is only IPv6', async () => {
    const { stdout, stderr } = await sendInNamespace(
      'ip link set lo up; ip address delete 127.0.0.1/8 dev lo',
      '[::1]',
    );
    expect(stdout.toString(), stderr).toBe('200 image/jpeg');
  });

  it('serves where there is only IPv4', async () => {
    const { stdout, stderr } = await sendInNamespace(
      'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo up',
      '127.0.0.1',
    );
    expect(stdout.toString(), stderr).toBe('200 image/jpeg');
  });

  it('continues and ends without an error while no route leads to its processor', async () => {
    const script = `set -e
      ip link set lo up; ip address delete 127.0.0.1/8 dev lo
      '${process.execPath}' '${apiMain}' >/dev/null & service=$!
      for _ in $(seq 200); do curl -sf -m 1 -o /dev/null 'http://[::1]:8080/healthz' && break; sleep 0.1; done
      for _ in 1 2 3; do curl -s -m 5 -o /dev/null -w '%{http_code} ' 'http://[::1]:8080/readyz'; sleep 0.5; done
      curl -s -m 5 -F 'image=@${sample}' 'http://[::1]:8080/v1/images' | grep -o PROCESSOR_UNAVAILABLE | head -n 1
      (sleep 8; kill -9 $service 2>/dev/null) & kill -TERM $service
      wait $service && echo drained`;
    const { stdout, stderr } = await run('unshare', ['--net', 'sh', '-c', script], {
      env: { HOST: '::', PORT: '8080', PROCESSOR_URL: 'http://127.0.0.1:50051' },
    });
    expect(stdout.toString(), stderr).toBe('503 503 503 PROCESSOR_UNAVAILABLE\ndrained\n');
  });
});
