import { describe, expect, it } from 'vitest';
import { standardDefaults } from '../../../src/options/image-options.ts';
import type { CallContext, GivenFile } from '../../../src/playground/calls/call-context.ts';
import { curlSkew, fetchSkew, imageClientSkew, pythonSkew } from '../../../src/playground/calls/skew.ts';
import { initialSettings } from '../../../src/playground/form/settings.ts';

const preset = 'openai/clip-vit-base-patch32';

function contextOf(source: CallContext['source'], given: GivenFile): CallContext {
  return {
    source,
    given,
    api: 'http://images.internal:8080',
    processor: '',
    needsKey: true,
    defaults: standardDefaults,
    responseBytes: undefined,
  };
}

describe('the calls of a comparison', () => {
  it('name a tensor whose file states its form', () => {
    const given: GivenFile = { field: 'tensor', name: 'my input.npy' };
    const context = contextOf({ file: '-photo.jpg' }, given);
    expect(curlSkew(initialSettings, context, given)).toBe(`curl -sS --fail-with-body \\
  -H "Authorization: Bearer $IMAGE_API_KEY" \\
  -F image=@./-photo.jpg \\
  -F 'tensor=@my input.npy' \\
  --form-string preset=${preset} \\
  http://images.internal:8080/v1/skew`);
    expect(pythonSkew(initialSettings, context, given)).toBe(`from image_service_client import Client

client = Client("http://images.internal:8080")
report = client.skew(
    "-photo.jpg",
    "my input.npy",
    preset="${preset}",
)
print("equal" if report.equal else report.cause.sentence)`);
    expect(
      imageClientSkew(initialSettings, context, given),
    ).toBe(`image-client skew ./-photo.jpg 'my input.npy' \\
  --api http://images.internal:8080 \\
  --preset ${preset}`);
  });

  it('state the form of raw values, instead of the datatype of the expected tensor', () => {
    const given: GivenFile = {
      field: 'tensor',
      name: 'x.bin',
      raw: { shape: [1, 3, 224, 224], datatype: 'BF16' },
    };
    const settings = { ...initialSettings, datatype: 'fp16' };
    const context = contextOf({ file: 'photo.jpg' }, given);
    const call = curlSkew(settings, context, given);
    expect(call).toContain('--form-string shape=1,3,224,224 \\\n  --form-string datatype=bf16 \\\n');
    expect(call).not.toContain('fp16');
    expect(imageClientSkew(settings, context, given)).toMatch(/--shape 1,3,224,224 \\\n {2}--datatype bf16$/);
    expect(pythonSkew(settings, context, given)).toContain(
      'tensor = (np.fromfile("x.bin", "<u2").astype("<u4") << 16).view("<f4").reshape(1, 3, 224, 224)',
    );
    const fp16 = { ...given, raw: { shape: [2], datatype: 'FP16' } };
    expect(pythonSkew(settings, context, fp16)).toContain('tensor = np.fromfile("x.bin", "<f2").reshape(2)');
  });

  it('name a picture, and the URL of its source', () => {
    const given: GivenFile = { field: 'picture', name: 'crop.png' };
    const context = contextOf({ url: 'https://images.example/cat.jpg' }, given);
    expect(curlSkew(initialSettings, context, given)).toContain(
      '-F picture=@crop.png \\\n  --form-string url=https://images.example/cat.jpg',
    );
    const node = fetchSkew(initialSettings, context, given);
    expect(node).toContain('body.set("picture", await openAsBlob("crop.png"), "picture");');
    expect(node).toContain('body.set("url", "https://images.example/cat.jpg");');
    expect(node).not.toContain('"image"');
    expect(pythonSkew(initialSettings, context, given)).toContain('picture=True');
    expect(imageClientSkew(initialSettings, context, given)).toMatch(/--picture$/);
  });
});
