#!/usr/bin/env node
/*
 * The program `image-service`. It imports nothing before it knows that this Node can run the rest.
 */

if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(`image-service: Node 24 or newer is needed; this is ${process.versions.node}.\n`);
  process.exit(2);
}
await import('./program.ts');
