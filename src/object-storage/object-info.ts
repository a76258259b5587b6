/** The properties of an object, without its bytes. */
export interface ObjectInfo {
  readonly bytes: number;
  /** With its quotes, as `ifNoneMatch` takes it. */
  readonly etag: string | undefined;
  readonly versionId: string | undefined;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly cacheControl: string | undefined;
  /** SHA-256 of the bytes in base64, where the writer gave one; not of objects that were written in parts. */
  readonly sha256: string | undefined;
  /** By lower-case names. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The fields that GET and HEAD share. */
export function infoOf(response: {
  ContentLength?: number | undefined;
  ETag?: string | undefined;
  VersionId?: string | undefined;
  ContentType?: string | undefined;
  ContentEncoding?: string | undefined;
  CacheControl?: string | undefined;
  ChecksumSHA256?: string | undefined;
  Metadata?: Record<string, string> | undefined;
}): ObjectInfo {
  return {
    bytes: response.ContentLength ?? 0,
    etag: response.ETag,
    versionId: response.VersionId,
    contentType: response.ContentType,
    contentEncoding: response.ContentEncoding,
    cacheControl: response.CacheControl,
    // That of parts is the hash of their hashes, and ends in a hyphen and their number.
    sha256: response.ChecksumSHA256?.includes('-') ? undefined : response.ChecksumSHA256,
    metadata: response.Metadata ?? {},
  };
}
