import sharp from 'sharp';

// A worker processes one image at a time: libvips' own threads and its cache of operations would only use memory.
sharp.concurrency(1);
sharp.cache(false);

export { sharp };
