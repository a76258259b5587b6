import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { decoded, encoded, redGreenBlue } from '../support/pictures.ts';
import { type Service, startService } from '../support/service.ts';
import { chromium } from '../support/tools.ts';
import type { PageResponse } from './browser-page.ts';

/** Serves an empty page with the bundle, from an origin of its own. */
async function servePage(bundle: string) {
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
    response.end(isScript ? bundle : '<!doctype html><title>A page</title><script src="/page.js"></script>');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe.skipIf(chromium === undefined)('Chromium against image-api', () => {
  let service: Service;
  let browser: Browser;
  let allowed: Awaited<ReturnType<typeof servePage>>;
  let other: Awaited<ReturnType<typeof servePage>>;
  let picture: number[];

  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('browser-page.ts', import.meta.url))],
      bundle: true,
      format: 'iife',
      write: false,
    });
    const bundle = outputFiles[0]?.text ?? '';
    [allowed, other] = await Promise.all([servePage(bundle), servePage(bundle)]);
    service = await startService({ api: { CORS_ORIGINS: allowed.origin } });
    browser = await launchBrowser();
    picture = [...(await encoded(redGreenBlue, 'png'))];
  });

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    allowed?.close();
    other?.close();
  });

  /** Opens the origin's page and lets it call. */
  async function callFrom(
    origin: string,
    protocol: 'connect' | 'grpc-web',
    file: number[],
  ): Promise<PageResponse> {
    const page = await browser.newPage();
    try {
      await page.goto(origin);
      const parameters = [protocol, service.url, file].map((each) => JSON.stringify(each));
      return await page.evaluate<PageResponse>(`callProcessor(${parameters.join(', ')})`);
    } finally {
      await page.close();
    }
  }

  describe.each(['connect', 'grpc-web'] as const)('over %s', (protocol) => {
    it('gets red, green and blue as 76, 150 and 29', async () => {
      const response = await callFrom(allowed.origin, protocol, picture);
      expect(response).toMatchObject({ ok: true, contentType: 'image/png', width: 3, height: 1 });
      if (!response.ok) return;
      const gray = await decoded(new Uint8Array(response.content));
      expect(gray).toEqual({ pixels: new Uint8Array([76, 150, 29]), width: 3, height: 1, channels: 1 });
    });

    it('gets the reason of a refusal', async () => {
      const response = await callFrom(allowed.origin, protocol, [...Buffer.from('no image at all')]);
      expect(response).toMatchObject({ ok: false, code: 'InvalidArgument', reason: 'FORMAT_UNSUPPORTED' });
    });

    it('gets nothing on a page of an origin that is not allowed', async () => {
      const response = await callFrom(other.origin, protocol, picture);
      expect(response).toEqual({
        ok: false,
        code: expect.any(String),
        reason: undefined,
        message: 'Failed to fetch',
      });
    });
  });

  it('reads the headers that describe a response of the HTTP API', async () => {
    const page = await browser.newPage();
    await page.goto(allowed.origin);
    const response = await page.evaluate<[number, (string | null)[]]>(`(async () => {
      const response = await fetch(${JSON.stringify(`${service.url}/v1/images?scale=false`)}, {
        method: 'POST',
        headers: { 'content-type': 'image/png' },
        body: new Uint8Array(${JSON.stringify(picture)}),
      });
      const names = ['content-type', 'image-width', 'image-height', 'cache-status'];
      return [response.status, names.map((name) => response.headers.get(name))];
    })()`);
    await page.close();
    expect(response).toEqual([200, ['image/png', '3', '1', expect.stringMatching(/^image-processor; /)]]);
  });
});
