import type { CalledService } from '../../connection-flags.ts';
import { connectToApi } from './api-connection.ts';
import type { ServiceConnection } from './connection.ts';
import { openHere } from './local-connection.ts';
import { connectToProcessor } from './processor-connection.ts';
import { shareImages } from './several-processors.ts';

/** Connects to a service when a call needs it. */
export function connectTo(service: CalledService): ServiceConnection {
  if (service.name === 'image-api') return connectToApi(service.url, service.apiKey);
  if (service.name === 'local') return openHere(service.environment);
  const first = connectToProcessor(service.url);
  return service.others.length === 0
    ? first
    : shareImages([first, ...service.others.map(connectToProcessor)]);
}
