import type { ImageResponse } from './send.ts';

/**
 * The object that `image-client --json` prints about one image. The names are stable; a member is null where the response does not
 * say it. docs/cli.md describes each.
 */
export interface ImageSummary {
  /** The path as it was given. */
  readonly output: string;
  readonly bytes: number;
  readonly content_type: string;
  readonly width: number | null;
  readonly height: number | null;
  /** The only tensor of the response. */
  readonly tensor: { readonly datatype: string; readonly shape: readonly number[] } | null;
  readonly source: {
    readonly format: string;
    readonly width: number;
    readonly height: number;
    readonly bytes: number;
    readonly sha256: string;
  } | null;
  readonly numerics: string | null;
  readonly decisions: readonly string[];
  /** The key under which the service caches the response. */
  readonly key: string | null;
  readonly cache: 'hit' | 'miss' | null;
  /** Milliseconds by stage. */
  readonly stages: Readonly<Record<string, number>>;
}

/** Summarises a response, from its headers. */
export function summaryOf(output: string, { content, contentType, headers }: ImageResponse): ImageSummary {
  const number = (name: string) => (headers.has(name) ? Number(headers.get(name)) : null);
  const cache = headers.get('cache-status');
  return {
    output,
    bytes: content.length,
    content_type: contentType,
    width: number('image-width'),
    height: number('image-height'),
    tensor: tensorOf(headers),
    source: sourceOf(headers.get('image-source') ?? ''),
    numerics: stringsIn(headers.get('image-numerics'))[0] ?? null,
    decisions: stringsIn(headers.get('image-decisions')),
    key: stringsIn(headers.get('etag'))[0] ?? null,
    cache: cache === null ? null : /; hit\b/.test(cache) ? 'hit' : 'miss',
    stages: stagesOf(headers.get('server-timing') ?? ''),
  };
}

function tensorOf(headers: Headers): ImageSummary['tensor'] {
  const [datatype, shape] = [headers.get('tensor-datatype'), headers.get('tensor-shape')];
  return datatype === null || shape === null ? null : { datatype, shape: shape.split(',').map(Number) };
}

/** Image-Source: `jpeg;width=60;height=40;bytes=1234;sha256="…"`. */
function sourceOf(header: string): ImageSummary['source'] {
  const [, format = '', width, height, bytes, sha256 = ''] =
    /^(\w+);width=(\d+);height=(\d+);bytes=(\d+);sha256="(\w+)"$/.exec(header) ?? [];
  if (format === '') return null;
  return { format, width: Number(width), height: Number(height), bytes: Number(bytes), sha256 };
}

/** The strings of a structured field (RFC 9651). */
function stringsIn(header: string | null): string[] {
  return [...(header ?? '').matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) =>
    text.replace(/\\(.)/g, '$1'),
  );
}

/** Server-Timing: `decode;dur=26.1, resize;dur=8`. */
function stagesOf(header: string): Record<string, number> {
  return Object.fromEntries(
    [...header.matchAll(/([\w-]+);dur=([\d.]+)/g)].map(([, name = '', ms]) => [name, Number(ms)]),
  );
}
