import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import packageJson from '../../package.json' with { type: 'json' };
import { collectorFlag } from '../collector-flag.ts';

/*
 * `image-service`: both services, as `npm start` starts them, or one of them in this process.
 */

const help = `Usage: image-service [api | processor]

Starts image-api and image-processor on this machine, and prints one curl command to try.

  api            start only image-api; PROCESSOR_URL is the address of its processors
  processor      start only image-processor
  -h, --help     show this text
  -V, --version  show the version

The settings are environment variables. Those of the ports: PORT (8080), PROCESSOR_PORT (50051), METRICS_PORT (9464);
with api or processor, PORT is that service's. HOST (127.0.0.1) is the address that they listen on, PROCESSOR_HOST that
of image-processor if it differs. NODE_ENV=production prints JSON lines. docs/environment.md lists all variables.

  image-service
  HOST=:: image-service
  PROCESSOR_URL=http://processor:50051 image-service api

SIGTERM and Ctrl+C finish the requests in flight. Exit codes: 0 ended well, 2 wrong arguments, 78 a bad setting.
`;

const [word, ...rest] = process.argv.slice(2);
if (rest.length > 0) refuse(`"${rest[0]}" is one argument too many`);
else if (word === undefined) await import('./main.ts');
else if (word === 'api' || word === 'processor') await runService(word);
else if (word === '-h' || word === '--help') process.stdout.write(help);
else if (word === '-V' || word === '--version')
  process.stdout.write(`image-service ${packageJson.version}\n`);
else refuse(`"${word}" is no service`);

/** Like the container images, which start a service directly, and with its log as JSON lines. */
async function runService(service: 'api' | 'processor'): Promise<void> {
  setFlagsFromString(collectorFlag);
  await (service === 'api' ? import('../api/main.ts') : import('../processor/main.ts'));
}

function refuse(reason: string): void {
  process.stderr.write(`image-service: ${reason}; allowed: api, processor, or no argument for both.\n`);
  process.exitCode = 2;
}
