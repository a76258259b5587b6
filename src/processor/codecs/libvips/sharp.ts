import sharp from 'sharp';

// A worker has one image at a time: libvips' own threads and its cache of past operations would only take memory.
sharp.concurrency(1);
sharp.cache(false);

export { sharp };
