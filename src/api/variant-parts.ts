import { randomUUID } from 'node:crypto';

/** The media types of several responses, the default first. */
export const variantsTypes = ['multipart/mixed', 'multipart/form-data'] as const;

type VariantsType = (typeof variantsTypes)[number];

/** A response as a part of a multipart body. */
interface Part {
  readonly headers: Readonly<Record<string, string>>;
  readonly content: Uint8Array;
}

/**
 * A part's Content-Disposition. In multipart/form-data (RFC 7578) a part has a name: that of its variant, or its index.
 *
 * @param name - of the variant, if the request gives it one
 */
export function partDisposition(
  type: VariantsType,
  name: string | undefined,
  index: number,
  extension: string,
): string {
  if (type === 'multipart/mixed') return `inline; filename="${name ?? 'image'}.${extension}"`;
  const fieldName = name ?? String(index);
  return `form-data; name="${fieldName}"; filename="${fieldName}.${extension}"`;
}

/** Parts as a multipart body (RFC 2046, 5.1), in their order. */
export function multipartBody(
  type: VariantsType,
  parts: readonly Part[],
): { readonly contentType: string; readonly body: readonly Uint8Array[] } {
  const boundary = `variant-${randomUUID()}`;
  const chunks = parts.flatMap(({ headers, content }) => {
    const head = Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    return [Buffer.from(`--${boundary}\r\n${head}\r\n`, 'latin1'), content, Buffer.from('\r\n')];
  });
  return {
    contentType: `${type}; boundary=${boundary}`,
    body: [...chunks, Buffer.from(`--${boundary}--\r\n`)],
  };
}
