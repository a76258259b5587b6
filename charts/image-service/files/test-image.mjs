// Asks image-api for one image, as `helm test` runs it in a pod. It ends with 0 if the response is right.
const { API_URL, API_KEY, EXPECTS_KEY } = process.env;
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAgAAAAGCAIAAABxZ0isAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEUlEQVQImWM44KCAFTEMpAQA8Xc2AYwv18IAAAAASUVORK5CYII=', 'base64');
const url = new URL('/v1/images?scale=true&width=4&height=3&fit=fill&format=png', API_URL);
const headers = API_KEY ? { authorization: `Bearer ${API_KEY}` } : {};

/** Waits for Services and DNS that are not there yet. */
async function ask() {
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(url, { method: 'POST', body: png, headers });
      if (response.status !== 503 || attempt === 30) return response;
      await response.arrayBuffer();
    } catch (error) {
      if (attempt === 30) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

const response = await ask();
const body = Buffer.from(await response.arrayBuffer());
const type = response.headers.get('content-type');
const isProblem = type?.startsWith('application/problem+json');
if (EXPECTS_KEY && !API_KEY && response.status === 401) {
  console.log('401, as for everyone without an API key; test.existingSecret lets the test send one');
} else if (response.status === 200 && type === 'image/png' && body.readUInt32BE(16) === 4 && body.readUInt32BE(20) === 3) {
  console.log(`200, a PNG of 4 × 3 pixels from ${url.host}`);
} else {
  console.error(`${response.status} ${type}${isProblem ? `: ${body}` : ''}; expected: 200 and a PNG of 4 × 3 pixels`);
  process.exitCode = 1;
}
