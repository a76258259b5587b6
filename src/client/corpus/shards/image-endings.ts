/** Endings of the images that the service writes, by content type. */
const endings: Readonly<Record<string, string>> = {
  'image/jpeg': '.jpg',
  'image/png': '.png',
  'image/webp': '.webp',
};

/** The ending of an image's file; `.bin` for a content type that no service has today. */
export function imageEndings(contentType: string): string {
  return endings[contentType] ?? '.bin';
}
