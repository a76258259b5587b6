import { toJson } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ProcessRequestSchema } from '../../../../gen/image/v1/processor_pb.ts';
import { readApiConfig } from '../../../../src/api/config.ts';
import { ClientError } from '../../../../src/client/client-error.ts';
import { jobRequest } from '../../../../src/client/job/sending/process-request.ts';
import {
  type ImageOptions,
  imageOptionNames,
  standardDefaults,
} from '../../../../src/options/image-options.ts';
import { processRequest } from '../../../../src/options/image-request.ts';
import { parseOptions } from '../../../../src/options/parse-options.ts';

const { defaults } = readApiConfig({});

/** The request that image-api with an empty environment sends to its processor. */
function ofApi(texts: Readonly<Record<string, string>>) {
  const source = { case: 'url', value: 'http://h/' } as const;
  const request = processRequest(source, parseOptions(Object.entries(texts)).values, defaults);
  return toJson(ProcessRequestSchema, { ...request, source: { case: undefined } });
}

/** The request that a job sends to its processor. */
function ofJob(texts: Readonly<Record<string, string>>) {
  return jobRequest(parseOptions(Object.entries(texts)).values);
}

/** A value of every option, other than its default, and the options that it requires. */
const samples = {
  scale: { scale: 'false' },
  width: { width: '3' },
  height: { height: '3' },
  shortest_edge: { shortest_edge: '7' },
  crop_width: { crop_width: '2', crop_height: '5' },
  crop_height: { crop_width: '5', crop_height: '2' },
  fit: { fit: 'contain' },
  filter: { filter: 'lanczos' },
  grayscale: { grayscale: 'false' },
  page: { page: '3' },
  dpi: { dpi: '200' },
  page_box: { page_box: 'media' },
  annotations: { annotations: 'false' },
  store: { store: 'wait' },
  store_link: { store_link: '60' },
  format: { format: 'webp' },
  quality: { quality: '33' },
  numerics: { numerics: 'fast' },
  background: { background: '#102030' },
  orientation: { orientation: 'ignore' },
  alpha: { alpha: 'black' },
  pixels: { format: 'npy', pixels: 'uint8' },
  preset: { preset: 'clip-vit-base-patch32', format: 'npy' },
  preprocessor_config: { preprocessor_config: '{"size": 3}', format: 'npy' },
  imgsz: { preset: 'ultralytics/yolo', imgsz: '480,640', format: 'npz' },
  stride: { preset: 'ultralytics/yolo', stride: '64', format: 'npz' },
  rect: { preset: 'ultralytics/yolo', rect: 'true', format: 'npz' },
  datatype: { format: 'npy', datatype: 'fp16' },
  layout: { format: 'raw', layout: 'nhwc' },
  rescale: { format: 'safetensors', rescale: '0.5' },
  mean: { format: 'npy', mean: '1,2,3' },
  std: { format: 'npy', std: '4' },
  channel_order: { format: 'npy', channel_order: 'bgr' },
} satisfies { [name in keyof ImageOptions]-?: Readonly<Record<string, string>> };

describe(jobRequest, () => {
  it('uses the defaults of an image-api whose environment is empty', () => {
    expect(defaults).toMatchObject(standardDefaults);
    expect(toJson(ProcessRequestSchema, jobRequest({}).request)).toEqual(ofApi({}));
  });

  it('keeps the pages of documents apart: a document has a request for each', () => {
    const { request, pages } = jobRequest({ page: [{ first: 1, last: 3 }], dpi: 200 });
    expect(pages).toEqual([{ first: 1, last: 3 }]);
    expect(request.sourceOptions).toMatchObject({ page: 0, dpi: 200 });
    expect(jobRequest({}).pages).toBeUndefined();
  });

  it.each(imageOptionNames.filter((name) => name !== 'page'))('takes %s as image-api does', (name) => {
    const request = toJson(ProcessRequestSchema, ofJob(samples[name]).request);
    expect(request).toEqual(ofApi(samples[name]));
    expect(request).not.toEqual(ofApi({}));
  });

  it.each([
    { scale: 'false', width: '3' },
    { shortest_edge: '3', height: '3' },
    { crop_width: '3' },
    { quality: '3', format: 'png' },
    { quality: '3', format: 'npy' },
    { mean: '3' },
    { preset: 'x', width: '3' },
    { imgsz: '640' },
    { stride: '32', preprocessor_config: '{}' },
    { preprocessor_config: '{}', grayscale: 'true' },
  ] as Record<string, string>[])('refuses %j as image-api does', (texts) => {
    expect(() => ofApi(texts)).toThrow();
    expect(() => ofJob(texts)).toThrow(ClientError);
  });

  it('describes the output in words', () => {
    expect(jobRequest({}).words).toBe("1024 × 768, gray, in the source's format");
    expect(ofJob({ shortest_edge: '9', grayscale: 'false', format: 'npy' }).words).toBe(
      'shortest edge 9, in colour, npy',
    );
    expect(ofJob({ width: '9' }).words).toBe("width 9, gray, in the source's format");
    expect(ofJob({ preset: 'vit' })).toMatchObject({ words: 'preset vit, npy', format: 'npy' });
  });
});
