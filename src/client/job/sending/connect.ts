import type { CalledService } from '../../connection-flags.ts';
import { connectToApi } from './api-connection.ts';
import type { ServiceConnection } from './connection.ts';
import { connectToProcessor } from './processor-connection.ts';

/** Connects to a service when a call needs it. */
export function connectTo(service: CalledService): ServiceConnection {
  return service.name === 'image-api'
    ? connectToApi(service.url, service.apiKey)
    : connectToProcessor(service.url);
}
