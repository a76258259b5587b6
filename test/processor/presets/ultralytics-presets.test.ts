import { describe, expect, it } from 'vitest';
import { TensorContainer } from '../../../gen/image/v1/processor_pb.ts';
import { invalid, plan, type Request, refusal } from '../../support/plan-of-request.ts';

const tensor = { case: 'tensor', value: { container: TensorContainer.NPZ } } as const;
const planOf = (preset: string, presetSettings?: Request['presetSettings']) =>
  plan({ preset, output: tensor, ...(presetSettings && { presetSettings }) }, 10_000_000);

describe('a preset of Ultralytics', () => {
  it('fits the image into imgsz and fills the rest with gray', () => {
    expect(planOf('ultralytics/yolo')).toMatchObject({
      numerics: 'opencv',
      alpha: 'dropped',
      steps: [
        {
          kind: 'resize',
          fit: 'rule',
          rule: { kind: 'letterbox', box: { width: 640, height: 640 } },
          filter: 'bilinear',
          library: 'opencv',
        },
        { kind: 'padTo', to: { width: 640, height: 640 }, at: 'centre', colour: [114, 114, 114] },
      ],
      output: { name: 'images', extras: [{ name: 'ratio_pad' }] },
    });
  });

  it('pads only to whole strides if rect is set', () => {
    const [, pad] = planOf('ultralytics/yolo', { rect: true, stride: 64 }).steps;
    expect(pad).toMatchObject({ to: { multipleOf: 64 } });
  });

  it('rounds imgsz up to whole strides and names it in the decisions', () => {
    const { steps, decisions } = planOf('ultralytics/yolo', { imgszHeight: 481, imgszWidth: 640 });
    expect(steps[1]).toMatchObject({ to: { width: 640, height: 512 } });
    expect(decisions).toEqual(['imgsz=481,640 rounded up to 512,640, multiples of 32']);
    expect(planOf('ultralytics/yolo', { imgszHeight: 480 }).decisions).toBeUndefined();
  });

  it.each([
    ['yolo11n', 'ultralytics/yolo'],
    ['YOLOv8n-seg.pt', 'ultralytics/yolo'],
    ['yolov5s', 'ultralytics/yolo'],
    ['yolov5s6u.pt', 'ultralytics/yolo-p6'],
    ['yolo11n-obb.pt', 'ultralytics/yolo-obb'],
    ['yolov8n-cls', 'ultralytics/yolo-cls'],
    ['rtdetr-l.pt', 'ultralytics/rtdetr'],
  ])('is found as %s', (alias, name) => {
    expect(planOf(alias)).toEqual(planOf(name));
  });

  it.each(['yolo26n-sem', 'yolov8s-world', 'FastSAM-s.pt', 'yolo_nas_s'])(
    'is not meant by %s, whose input differs or is not known',
    (name) => {
      expect(refusal({ preset: name }).reason).toBe('PRESET_UNKNOWN');
    },
  );

  it('resizes the shorter side for classification, or both of another shape', () => {
    expect(planOf('ultralytics/yolo-cls').steps).toEqual([
      { kind: 'resize', filter: 'bilinear', fit: 'shortestEdge', shortestEdge: 224 },
      { kind: 'crop', width: 224, height: 224, origin: 'torchvision' },
    ]);
    expect(planOf('ultralytics/yolo-cls', { imgszHeight: 224, imgszWidth: 320 }).steps[0]).toMatchObject({
      fit: 'fill',
      width: 320,
      height: 224,
    });
  });

  it('refuses rect where Ultralytics has no padding', () => {
    expect(refusal({ preset: 'ultralytics/rtdetr', presetSettings: { rect: true } })).toEqual(
      invalid('preset_settings.rect', 'set', 'one of imgsz, stride'),
    );
  });

  it('refuses a container of one tensor', () => {
    const output = { case: 'tensor', value: { container: TensorContainer.NPY } } as const;
    expect(refusal({ preset: 'ultralytics/yolo', output })).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'container' },
    });
  });

  it('refuses an input over the limit of pixels', () => {
    const presetSettings = { imgszHeight: 1024 };
    expect(refusal({ preset: 'ultralytics/yolo', output: tensor, presetSettings }, 1_000_000).reason).toBe(
      'OUTPUT_PIXELS_OVER_LIMIT',
    );
  });
});
