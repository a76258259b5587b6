import type { Http2Session, Settings } from 'node:http2';

/**
 * HTTP/2 between the two services, set for messages of a megabyte. Node's defaults (64 KiB windows,
 * 10 MB a session) make a 1 MB call cost four times the CPU and fail with ENHANCE_YOUR_CALM from ten
 * calls in flight on.
 */

/** Bytes that may be under way on one stream before the reader grants more. */
const streamWindowBytes = 4 * 1024 * 1024;

/** The same for all streams of a connection together. HTTP/2 has no setting for it: see `widenSession`. */
const sessionWindowBytes = 8 * 1024 * 1024;

export const http2Settings: Settings = { initialWindowSize: streamWindowBytes };

/** Megabytes that Node lets one session hold; admission bounds what is really held. */
export const maxSessionMemory = 1000;

/** Grants the connection window. Needed on each new session, on both ends. */
export function widenSession(session: Http2Session): void {
  session.setLocalWindowSize(sessionWindowBytes);
}

/**
 * The gRPC metadata that says how many bytes of content a call takes in its response. A response that may get longer
 * is refused before it is made.
 */
export const maxResponseHeader = 'x-image-max-response-bytes';

/** Room for the fields of a response beside its contents, in bytes: a batch has 256 descriptions of images. */
export const responseOverheadBytes = 1024 * 1024;

/** Room for a message's fields besides the image, in bytes. */
export const messageOverheadBytes = 64 * 1024;
