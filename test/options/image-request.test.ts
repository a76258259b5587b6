import { describe, expect, it } from 'vitest';
import {
  ChannelOrder,
  Datatype,
  Filter,
  Fit,
  ImageFormat,
  Layout,
  PageBox,
  Store,
  TensorContainer,
} from '../../gen/image/v1/processor_pb.ts';
import { optionsOfMessage, processRequest } from '../../src/options/image-request.ts';
import { refusal, requestFor } from '../support/options.ts';

describe(processRequest, () => {
  it('has the options of object storage, in the message and back', () => {
    expect(requestFor('width=8').store).toBeUndefined();
    const { YES, NO, WAIT, UNSPECIFIED } = Store;
    for (const [query, store, linkSeconds] of [
      ['store=true', YES, 0],
      ['store=false', NO, 0],
      ['store=wait&store_link=60', WAIT, 60],
      ['preset=a&store_link=5', UNSPECIFIED, 5],
    ] as const) {
      const request = requestFor(query);
      expect(request.store).toMatchObject({ store, linkSeconds });
      const { store: word, store_link } = optionsOfMessage(request);
      expect(new URLSearchParams(query).get('store') ?? undefined).toBe(word);
      expect(store_link).toBe(linkSeconds || undefined);
    }
    expect(() => requestFor('store=false&store_link=5')).toThrow('store_link');
  });

  it('states how a document is read only where something about it is given', () => {
    expect(requestFor('width=5').sourceOptions).toBeUndefined();
    expect(requestFor('page=3').sourceOptions).toMatchObject({ page: 3, dpi: 0, password: '' });
    expect(requestFor('page=3').sourceOptions?.annotations).toBeUndefined();
    expect(requestFor('preset=a&dpi=72.5&page_box=media&annotations=false').sourceOptions).toMatchObject({
      page: 0,
      dpi: 72.5,
      pageBox: PageBox.MEDIA,
      annotations: false,
    });
  });

  it('refuses several pages, of which only variants can be made', () => {
    expect(refusal('page=1-3,7')).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'page', actual: '1-3,7', allowed: 'one page' },
    });
  });

  it('resizes when a request gives a size, although the default keeps the source’s size', () => {
    expect(requestFor('', { scale: false }).resize).toBeUndefined();
    expect(requestFor('width=5', { scale: false }).resize).toMatchObject({ width: 5, height: 0 });
    expect(requestFor('scale=true', { scale: false }).resize).toMatchObject({ width: 1024, height: 768 });
  });

  it.each(['', '&fit=cover', '&fit=contain'])(
    'leaves the other side to the image where one is given%s',
    (fit) => {
      const bySide = { fit: Fit.UNSPECIFIED, filter: Filter.BILINEAR };
      expect(requestFor(`width=5${fit}`).resize).toMatchObject({ width: 5, height: 0, ...bySide });
      expect(requestFor(`height=5${fit}`).resize).toMatchObject({ width: 0, height: 5, ...bySide });
      expect(requestFor(`width=5&height=6${fit}`).resize).toMatchObject({ width: 5, height: 6 });
    },
  );

  it('names fit and filter as the contract does', () => {
    expect(requestFor('fit=contain&filter=lanczos').resize).toMatchObject({
      fit: Fit.CONTAIN,
      filter: Filter.LANCZOS,
    });
    expect(requestFor('fit=outside&filter=hamming').resize).toMatchObject({
      fit: Fit.OUTSIDE,
      filter: Filter.HAMMING,
    });
  });

  it.each(['width', 'height', 'fit', 'filter'])('refuses %s beside scale=false', (option) => {
    const value = { width: '5', height: '5', fit: 'cover', filter: 'box' }[option];
    expect(refusal(`scale=false&${option}=${value}`)).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option, allowed: 'only with scale=true' },
    });
  });

  it('requests a tensor when the format is a container of one', () => {
    const { output } = requestFor(
      'format=safetensors&datatype=bf16&layout=nhwc&rescale=0.5&mean=0.5&std=0.25,0.25,0.5&channel_order=bgr',
    );
    expect(output).toMatchObject({
      case: 'tensor',
      value: {
        container: TensorContainer.SAFETENSORS,
        datatype: Datatype.BF16,
        layout: Layout.NHWC,
        rescaleFactor: 0.5,
        mean: [0.5],
        std: [0.25, 0.25, 0.5],
        channelOrder: ChannelOrder.BGR,
      },
    });
  });

  it('leaves the omitted options of a tensor request to the processor', () => {
    const { output } = requestFor('format=raw');
    expect(output).toMatchObject({
      case: 'tensor',
      value: { container: TensorContainer.RAW, datatype: Datatype.UNSPECIFIED, layout: Layout.UNSPECIFIED },
    });
    expect(output.case === 'tensor' && output.value.rescaleFactor).toBeUndefined();
  });

  it.each(['datatype=fp16', 'layout=nchw', 'rescale=1', 'mean=0', 'std=1', 'channel_order=rgb'])(
    'refuses %s for an image, naming the formats that take it',
    (query) => {
      const [option] = query.split('=');
      const failure = refusal(query);
      expect(failure).toMatchObject({ reason: 'OPTION_INVALID', metadata: { option } });
      expect(failure.message).toContain('ask for format raw, npy, safetensors, npz');
    },
  );

  it.each(['png', 'npy'])('refuses quality for %s', (format) => {
    expect(refusal(`format=${format}&quality=80`)).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'quality', actual: '80' },
    });
  });

  it("passes quality on where the format is the source's own", () => {
    expect(requestFor('quality=80').output).toMatchObject({
      case: 'image',
      value: { format: ImageFormat.UNSPECIFIED, quality: 80 },
    });
  });

  it('omits the default quality for formats that have none', () => {
    expect(requestFor('format=png', { quality: 60 }).output.value).toMatchObject({ quality: 0 });
    expect(requestFor('format=jpeg', { quality: 60 }).output.value).toMatchObject({ quality: 60 });
    expect(requestFor('format=npy', { quality: 60 }).output.case).toBe('tensor');
  });

  it('writes a background as the contract does', () => {
    expect(requestFor('background=FFee00').background).toBe('#ffee00');
  });
});
