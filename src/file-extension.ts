const extensions: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'application/x-npy': 'npy',
  'application/vnd.safetensors': 'safetensors',
  'application/x-npz': 'npz',
  'application/json': 'json',
};

/** The extension of a file with a response's content, without the dot. */
export function extensionOf(contentType: string): string {
  return extensions[contentType] ?? 'bin';
}
