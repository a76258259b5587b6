import { describe, expect, it } from 'vitest';
import {
  originFields,
  originHeaders,
  readRequestId,
  readTracePlace,
} from '../../src/telemetry/trace-context.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

describe(readTracePlace, () => {
  it('reads the place of the caller in its trace', () => {
    expect(readTracePlace(`00-${traceId}-${spanId}-01`, 'vendor=1,other=2')).toEqual({
      traceId,
      spanId,
      flags: 1,
      state: 'vendor=1,other=2',
    });
  });

  it('reads the known part of a later version', () => {
    expect(readTracePlace(`42-${traceId}-${spanId}-00-more`, null)).toEqual({
      traceId,
      spanId,
      flags: 0,
      state: '',
    });
  });

  it.each([
    undefined,
    null,
    '',
    'nonsense',
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-01-more`,
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01\n`,
  ])('begins no trace with %j', (traceparent) => {
    expect(readTracePlace(traceparent, undefined)).toBeUndefined();
  });

  it('drops a state that is too long to be passed on', () => {
    expect(readTracePlace(`00-${traceId}-${spanId}-01`, 'a'.repeat(513))?.state).toBe('');
  });
});

describe(readRequestId, () => {
  it('keeps an id that can stand in a header and a log, and makes one in place of any other', () => {
    expect(readRequestId('order-7.2')).toBe('order-7.2');
    for (const bad of [undefined, '', 'a b', 'a\nb', 'a'.repeat(129)]) {
      expect(readRequestId(bad)).toMatch(/^[\da-f-]{36}$/);
    }
  });
});

describe(originHeaders, () => {
  it('writes headers that readTracePlace reads', () => {
    const trace = { traceId, spanId, flags: 3, state: 'vendor=1' };
    const headers = originHeaders({ requestId: 'r', trace });
    expect(headers).toEqual({
      'x-request-id': 'r',
      traceparent: `00-${traceId}-${spanId}-03`,
      tracestate: 'vendor=1',
    });
    expect(readTracePlace(headers.traceparent, headers.tracestate)).toEqual(trace);
  });

  it('omits the fields of a trace if there is none', () => {
    expect(originHeaders({ requestId: 'r', trace: undefined })).toEqual({ 'x-request-id': 'r' });
  });
});

describe(originFields, () => {
  it('names the ids as logs do', () => {
    const trace = { traceId, spanId, flags: 1, state: '' };
    expect(originFields({ requestId: 'r', trace })).toEqual({
      request_id: 'r',
      trace_id: traceId,
      span_id: spanId,
    });
    expect(originFields({ requestId: 'r', trace: undefined })).toEqual({ request_id: 'r' });
  });
});
