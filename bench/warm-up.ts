import { costOfUploads, type Sender } from './load.ts';
import { hollow } from './pictures.ts';
import type { Services } from './services.ts';

/** By then V8 has compiled what it will: a service that runs has left that behind, and a bench's few requests would not. */
const requests = 1000;

/** Brings both services to the speed that they keep, by requests without pixels worth speaking of. */
export async function warmUp(services: Services, sender: Sender): Promise<void> {
  const load = {
    pids: services.pids,
    sender,
    url: () => `${services.url}?width=224&height=224&format=jpeg`,
    sources: [await hollow(800_000)],
    inFlight: 8,
    check() {},
  };
  await costOfUploads({ ...load, kind: 'body', isMarked: true, count: requests / 2 });
  await costOfUploads({ ...load, kind: 'multipart', isMarked: true, count: requests / 2 });
  await costOfUploads({ ...load, kind: 'body', isMarked: false, count: requests / 2 });
}
