import process from 'node:process';
import { buildOnce } from './build-once.js';

/*
 * `npm start` in a checkout: builds what has changed, and starts what was built, in this process.
 */

const folder = process.cwd();
const code = await buildOnce();
// The start screen names files as they are seen from there.
process.chdir(folder);
if (code === 0) await import(new URL('../../dist/start.js', import.meta.url).href);
else process.exitCode = code;
