import { describe, expect, it } from 'vitest';
import {
  Datatype,
  Filter,
  ImageFormat,
  Layout,
  Numerics,
  TensorContainer,
} from '../../gen/image/v1/processor_pb.ts';
import { refusal, requestFor } from '../support/options.ts';

describe('processRequest with a preset', () => {
  it('lets the processor choose the container and leaves all other options to the preset, regardless of the environment', () => {
    const request = requestFor('preset=clip-vit-base-patch32', { background: '#ffffff' } as never);
    expect(request).toMatchObject({
      preset: 'clip-vit-base-patch32',
      preprocessorConfig: '',
      grayscale: false,
      background: '',
      output: { case: 'tensor', value: { container: TensorContainer.AUTO, mean: [], std: [] } },
    });
    expect([request.resize, request.crop]).toEqual([undefined, undefined]);
  });

  it('passes the config on unchanged', () => {
    const config = '{ "image_processor_type": "ViTImageProcessor" }';
    const request = requestFor(`preprocessor_config=${encodeURIComponent(config)}`);
    expect(request).toMatchObject({ preset: '', preprocessorConfig: config, output: { case: 'tensor' } });
  });

  it('accepts format, datatype, layout and numerics beside it', () => {
    const query = 'preset=a&format=safetensors&datatype=bf16&layout=nhwc&numerics=fast';
    expect(requestFor(query)).toMatchObject({
      numerics: Numerics.FAST,
      output: {
        value: { container: TensorContainer.SAFETENSORS, datatype: Datatype.BF16, layout: Layout.NHWC },
      },
    });
  });

  it('accepts an image format with a quality beside it', () => {
    expect(requestFor('preset=a&format=jpeg&quality=75').output).toMatchObject({
      case: 'image',
      value: { format: ImageFormat.JPEG, quality: 75 },
    });
  });

  it.each([
    'scale=true',
    'width=5',
    'height=5',
    'shortest_edge=5',
    'crop_width=5',
    'crop_height=5',
    'fit=cover',
    'filter=box',
    'grayscale=true',
    'background=ffffff',
    'rescale=1',
    'mean=0.5',
    'std=0.5',
    'channel_order=rgb',
  ])('refuses %s beside it', (text) => {
    const [option] = text.split('=');
    for (const preset of ['preset=a', 'preprocessor_config={}']) {
      expect(refusal(`${preset}&${text}`)).toMatchObject({
        reason: 'OPTION_INVALID',
        metadata: {
          option,
          allowed:
            'none beside a preset; only preset, preprocessor_config, imgsz, stride, rect, format, quality, numerics, orientation, alpha, datatype, pixels, layout, page, dpi, page_box, annotations, store, store_link',
        },
      });
    }
  });

  it('passes the settings of a preset on', () => {
    expect(requestFor('preset=a&imgsz=480,640&stride=64&rect=false').presetSettings).toMatchObject({
      imgszHeight: 480,
      imgszWidth: 640,
      stride: 64,
      rect: false,
    });
    expect(requestFor('preset=a&imgsz=320').presetSettings).toMatchObject({
      imgszHeight: 320,
      imgszWidth: 0,
      stride: 0,
    });
    expect(requestFor('preset=a').presetSettings).toBeUndefined();
  });

  it.each(['imgsz=640', 'stride=32', 'rect=true'])('refuses %s without a preset', (text) => {
    for (const query of [text, `preprocessor_config={}&${text}`]) {
      expect(refusal(query)).toMatchObject({
        reason: 'OPTION_INVALID',
        metadata: {
          option: text.split('=')[0],
          allowed: 'only with a preset that has it, such as ultralytics/yolo',
        },
      });
    }
  });

  it('refuses a quality of a tensor, and a datatype of an image', () => {
    expect(refusal('preset=a&quality=5').metadata.option).toBe('quality');
    expect(refusal('preset=a&format=png&datatype=fp32').metadata.option).toBe('datatype');
  });

  it.each(['preset=', 'preprocessor_config=', `preset=${'a'.repeat(201)}`])('refuses %s', (query) => {
    expect(refusal(query).reason).toBe('OPTION_INVALID');
  });
});

describe('processRequest with a crop and a shortest edge', () => {
  it('accepts a crop after the resize', () => {
    expect(requestFor('crop_width=5&crop_height=6')).toMatchObject({
      resize: { width: 1024, height: 768 },
      crop: { width: 5, height: 6 },
    });
  });

  it.each([
    ['crop_width', 'crop_height'],
    ['crop_height', 'crop_width'],
  ])('refuses %s without %s', (given, missing) => {
    expect(refusal(`${given}=5`)).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: given, actual: '5', allowed: `with ${missing}` },
    });
  });

  it('uses a shortest edge instead of the environment’s size, even if that does not scale', () => {
    for (const scale of [true, false]) {
      expect(requestFor('shortest_edge=5&filter=box', { scale }).resize).toMatchObject({
        shortestEdge: 5,
        width: 0,
        height: 0,
        filter: Filter.BOX,
      });
    }
  });

  it.each(['width=5', 'height=5', 'fit=fill'])('refuses %s beside it', (text) => {
    expect(refusal(`shortest_edge=5&${text}`)).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: text.split('=')[0], allowed: 'none beside shortest_edge' },
    });
  });

  it.each(['shortest_edge=0', 'shortest_edge=65536', 'crop_width=0', 'crop_height=65536'])(
    'refuses %s',
    (query) => {
      expect(refusal(query).metadata.option).toBe(query.split('=')[0]);
    },
  );

  it('refuses a shortest edge beside scale=false', () => {
    expect(refusal('scale=false&shortest_edge=5').metadata.option).toBe('shortest_edge');
  });
});
