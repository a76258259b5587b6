/*
 * A picture drawn here, so that there is something to see at once: a sky with grain, rings that grow finer than a
 * pixel when they are made small, colours whose gray is known, letters, fine lines.
 */

const width = 1280;
const height = 960;
/** The largest distance of the grain from a smooth colour, in levels. */
const grain = 18;

/** The sample as a file. */
export async function drawSample(): Promise<File> {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('This browser draws no canvas.');
  drawSky(context);
  drawHills(context);
  drawGrain(context);
  drawRings(context, 930, 330, 230);
  drawColours(context);
  drawLetters(context);
  drawLines(context);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.92));
  if (blob === null) throw new Error('This browser writes no JPEG.');
  return new File([await withVisit(blob)], 'sample.jpg', { type: 'image/jpeg' });
}

/**
 * The JPEG with a comment that no other visit has. A service that knows the sample would otherwise take
 * the first response of a visit from its cache, without the stages that the page shows.
 */
async function withVisit(jpeg: Blob): Promise<Blob> {
  const text = new TextEncoder().encode(`visit ${crypto.getRandomValues(new Uint32Array(2)).join('')}`);
  const start = await jpeg.slice(0, 2).arrayBuffer();
  // A COM segment: its marker, and its length with the two bytes of the length itself.
  const segment = new Uint8Array([0xff, 0xfe, 0, text.length + 2, ...text]);
  return new Blob([start, segment, jpeg.slice(2)], { type: jpeg.type });
}

function drawSky(context: CanvasRenderingContext2D): void {
  const sky = context.createLinearGradient(0, 0, 0, 640);
  sky.addColorStop(0, '#1d3f72');
  sky.addColorStop(0.55, '#7fa6c9');
  sky.addColorStop(1, '#f6d9b0');
  context.fillStyle = sky;
  context.fillRect(0, 0, width, height);
  const sun = context.createRadialGradient(330, 430, 10, 330, 430, 190);
  sun.addColorStop(0, '#fffbe8');
  sun.addColorStop(0.28, '#ffe29a');
  sun.addColorStop(1, 'rgb(255 214 140 / 0)');
  context.fillStyle = sun;
  context.fillRect(0, 200, 640, 460);
}

function drawHills(context: CanvasRenderingContext2D): void {
  const hills = [
    ['#5d7f86', 560, 46, 210],
    ['#3f6558', 640, 58, 150],
    ['#24473a', 730, 40, 95],
  ] as const;
  for (const [colour, base, swing, length] of hills) {
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(0, height);
    for (let x = 0; x <= width; x += 4) {
      const y = base + swing * Math.sin(x / length + base) + 0.3 * swing * Math.sin(x / (0.37 * length));
      context.lineTo(x, y);
    }
    context.lineTo(width, height);
    context.fill();
  }
}

/** Grain as of a sensor, which makes no two pixels of a photograph equal. It is the same in each visit. */
function drawGrain(context: CanvasRenderingContext2D): void {
  const image = context.getImageData(0, 0, width, height);
  let random = 1;
  for (let at = 0; at < image.data.length; at += 4) {
    let sum = 0;
    for (let term = 0; term < 2; term++) {
      // Lehmer's generator with the constants of MINSTD.
      random = (random * 48_271) % 2_147_483_647;
      sum += random / 2_147_483_647;
    }
    const offset = Math.round(grain * (sum - 1));
    for (let channel = 0; channel < 3; channel++) {
      image.data[at + channel] = (image.data[at + channel] ?? 0) + offset;
    }
  }
  context.putImageData(image, 0, 0);
}

/** A zone plate: rings whose distance shrinks outwards, the classical test of a resampling filter. */
function drawRings(
  context: CanvasRenderingContext2D,
  centreX: number,
  centreY: number,
  radius: number,
): void {
  const side = 2 * radius;
  const image = context.getImageData(centreX - radius, centreY - radius, side, side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const r2 = (x - radius) ** 2 + (y - radius) ** 2;
      if (r2 > radius * radius) continue;
      const level = 127.5 + 127.5 * Math.cos((Math.PI * r2) / (2.2 * radius));
      image.data.fill(Math.round(level), 4 * (y * side + x), 4 * (y * side + x) + 3);
    }
  }
  context.putImageData(image, centreX - radius, centreY - radius);
}

function drawColours(context: CanvasRenderingContext2D): void {
  const colours = [
    '#ff0000',
    '#00ff00',
    '#0000ff',
    '#00ffff',
    '#ff00ff',
    '#ffff00',
    '#ffffff',
    '#808080',
    '#000000',
  ];
  for (const [index, colour] of colours.entries()) {
    context.fillStyle = colour;
    context.fillRect(60 + 64 * index, 836, 64, 64);
  }
}

function drawLetters(context: CanvasRenderingContext2D): void {
  context.fillStyle = '#f4f7f5';
  for (const [index, size] of [46, 30, 20, 13].entries()) {
    context.font = `${size}px Georgia, serif`;
    context.fillText('The quick brown fox, 0123456789', 60, [80, 124, 156, 180][index] ?? 0);
  }
}

function drawLines(context: CanvasRenderingContext2D): void {
  context.strokeStyle = '#f4f7f5';
  for (let line = 0; line < 40; line++) {
    context.lineWidth = 0.6 + line / 26;
    context.beginPath();
    context.moveTo(730, 930);
    const angle = (Math.PI / 2) * (line / 39);
    context.lineTo(730 + 470 * Math.cos(angle), 930 - 200 * Math.sin(angle));
    context.stroke();
  }
}
