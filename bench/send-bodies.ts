import process from 'node:process';
import { Agent, request } from 'undici';

/*
 * Sends bodies to a server of stages.ts, so that their sender's CPU isn't counted as their reader's.
 */

const dispatcher = new Agent({ connections: 1 });
process.on('disconnect', () => process.exit());
process.on('message', async ({ port, bytes, count }: { port: number; bytes: number; count: number }) => {
  const body = Buffer.alloc(bytes, 'b');
  for (let sent = 0; sent < count; sent++) {
    const answer = await request(`http://127.0.0.1:${port}`, { method: 'POST', body, dispatcher });
    await answer.body.dump();
  }
  process.send?.('sent');
});
process.send?.('ready');
