/** How far a call has come. `total` is undefined where the service does not state a length. */
export type Progress =
  | { readonly phase: 'sending' | 'receiving'; readonly bytes: number; readonly total: number | undefined }
  | { readonly phase: 'processing'; readonly work?: 'search' };

/**
 * A `fetch` that reports the progress of its request's body. XMLHttpRequest does so in every browser; `fetch` itself only
 * sends streams over HTTP/2, and only in some.
 *
 * It rejects as `fetch` does: with a TypeError if there is no connection, with the signal's reason if that aborts.
 */
export function uploadingFetch(onProgress: (progress: Progress) => void): typeof fetch {
  return (input, init = {}) =>
    new Promise((resolve, reject) => {
      const { signal, body } = init;
      if (signal?.aborted) return reject(signal.reason);
      const request = new XMLHttpRequest();
      request.open(init.method ?? 'GET', input instanceof Request ? input.url : input);
      request.responseType = 'arraybuffer';
      for (const [name, value] of new Headers(init.headers)) request.setRequestHeader(name, value);

      const abort = () => request.abort();
      signal?.addEventListener('abort', abort);
      request.upload.onprogress = (event) => onProgress(progressOf('sending', event));
      request.upload.onload = () => onProgress({ phase: 'processing' });
      request.onprogress = (event) => onProgress(progressOf('receiving', event));
      request.onload = () => resolve(responseOf(request));
      request.onerror = () => reject(new TypeError('The request failed before a response came.'));
      request.onabort = () => reject(signal?.reason);
      request.onloadend = () => signal?.removeEventListener('abort', abort);
      request.send((body ?? null) as XMLHttpRequestBodyInit | null);
    });
}

function progressOf(phase: 'sending' | 'receiving', event: ProgressEvent): Progress {
  return { phase, bytes: event.loaded, total: event.lengthComputable ? event.total : undefined };
}

function responseOf(request: XMLHttpRequest): Response {
  const lines = request.getAllResponseHeaders().trim().split(/\r\n/);
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return new Response(request.response as ArrayBuffer, {
    status: request.status,
    statusText: request.statusText,
    headers: headers.filter(([name]) => name !== ''),
  });
}
