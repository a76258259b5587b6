#!/usr/bin/env node
/*
 * The program `image-client`. It imports nothing before it knows that this Node can run the rest.
 */

if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(
    `image-client: NODE_TOO_OLD: Node 24 or newer is needed; this is ${process.versions.node}.\n`,
  );
  process.exit(2);
}
await import('./main.ts');
