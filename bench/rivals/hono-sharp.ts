import process from 'node:process';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { grayJpeg, png, tensor } from './sharp-chain.ts';

/*
 * sharp in a Hono handler, as a user would write it.
 */

const app = new Hono();
for (const [name, make] of Object.entries({ grayJpeg, png, tensor })) {
  app.post(`/${name}`, async (c) => {
    const { image } = await c.req.parseBody();
    if (!(image instanceof File)) return c.text('image is missing', 400);
    const answer = await make(new Uint8Array(await image.arrayBuffer()));
    return c.body(new Uint8Array(answer));
  });
}

process.on('disconnect', () => process.exit());
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => process.send?.({ port }));
