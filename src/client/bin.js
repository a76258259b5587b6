#!/usr/bin/env node
/*
 * The program `image-client`. Node runs TypeScript by itself, but not below a node_modules folder, where this file is
 * once the package is installed: there the types are taken off here, by Node's own function.
 */
import { readFileSync } from 'node:fs';
// As a whole: an older Node lacks some of it, and should get to the sentence below.
import * as nodeModule from 'node:module';

if (Number.parseInt(process.versions.node, 10) < 26) {
  process.stderr.write(`image-client: NODE_TOO_OLD: Node 26 or newer is needed, this is ${process.versions.node}.\n`);
  process.exit(2);
}
const folder = new URL('./', import.meta.url).href;
if (folder.includes('/node_modules/')) {
  // It says once that it is experimental, which the caller of a program can do nothing about.
  const { emitWarning } = process;
  process.emitWarning = () => {};
  nodeModule.stripTypeScriptTypes('');
  process.emitWarning = emitWarning;
  const own = new URL('../../', folder).href;
  nodeModule.registerHooks({
    load(url, context, nextLoad) {
      const isOwn = url.startsWith(own) && url.endsWith('.ts') && !url.slice(own.length).includes('node_modules/');
      if (!isOwn) return nextLoad(url, context);
      const source = nodeModule.stripTypeScriptTypes(readFileSync(new URL(url), 'utf8'));
      return { format: 'module', source, shortCircuit: true };
    },
  });
}
await import('./main.ts');
