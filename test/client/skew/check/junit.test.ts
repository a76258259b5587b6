import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { SkewResponseSchema } from '../../../../gen/image/v1/processor_pb.ts';
import { junitXml } from '../../../../src/client/skew/check/junit.ts';
import type { Outcome } from '../../../../src/client/skew/check/outcome.ts';
import { findPythonWith } from '../../../support/python.ts';
import { run } from '../../../support/run.ts';

const pair = { line: 1, name: 'a', image: 'a.jpg', tensor: 'a.npy', preset: 'p', tolerance: { max: 0.01 } };
const tensor = { name: 'pixel_values', datatype: 'FP32', shape: [1n, 3n, 2n, 2n] };

const different: Outcome = {
  pair: { ...pair, line: 2, name: 'b & "<b>"\u001b[1m\ud800\n' },
  verdict: 'different',
  response: create(SkewResponseSchema, {
    differingShare: 0.5,
    meanAbs: 0.1,
    maxAbs: 0.25,
    given: tensor,
    expected: tensor,
    stages: [{ name: 'search', durationMs: 1500 }],
    cause: {
      sentence: 'Yours is BGR & <wrong>.',
      steps: [{ name: 'channel_order', yours: 'BGR', expected: 'RGB' }],
    },
  }),
};
const result = {
  list: 'golden.jsonl',
  seconds: 2,
  outcomes: [
    { pair, verdict: 'equal', response: create(SkewResponseSchema, { equal: true }) },
    different,
    {
      pair: { ...pair, line: 3, name: 'c' },
      verdict: 'failed',
      failure: {
        source: 'c.jpg',
        reason: 'INPUT_MISSING',
        message: 'There is no such file.',
        metadata: {},
        code: 5,
        retryable: false,
      },
    },
  ] satisfies Outcome[],
};

describe(junitXml, () => {
  it('has a case for each pair: passed, failed with the sentence and the steps, or in error', () => {
    expect(junitXml(result).split('\n')).toEqual([
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<testsuites name="image-client skew" tests="3" failures="1" errors="1" skipped="0" time="2.000">',
      '  <testsuite name="golden.jsonl" tests="3" failures="1" errors="1" skipped="0" time="2.000">',
      '    <testcase classname="golden.jsonl" name="a" file="golden.jsonl" line="1" time="0.000"/>',
      '    <testcase classname="golden.jsonl" name="b &amp; &quot;&lt;b&gt;&quot;\ufffd[1m\ufffd&#10;" file="golden.jsonl" line="2" time="1.500">',
      '      <failure message="Yours is BGR &amp; &lt;wrong&gt;." type="SKEW">Yours is BGR &amp; &lt;wrong&gt;.',
      '',
      'image: a.jpg',
      'tensor: a.npy',
      'preset: p',
      'largest difference 0.25, allowed 0.01',
      '',
      '  step           yours  expected',
      '  channel_order  BGR    RGB',
      '',
      '50 % of the 12 values differ: mean 0.1, largest 0.25</failure>',
      '    </testcase>',
      '    <testcase classname="golden.jsonl" name="c" file="golden.jsonl" line="3" time="0.000">',
      '      <error message="INPUT_MISSING: There is no such file." type="INPUT_MISSING">INPUT_MISSING: There is no such file.',
      '',
      'image: a.jpg',
      'tensor: a.npy',
      'preset: p</error>',
      '    </testcase>',
      '  </testsuite>',
      '</testsuites>',
      '',
    ]);
  });

  const python = findPythonWith('xml.etree.ElementTree');
  it.skipIf(python === undefined)('is XML that a parser reads back', async () => {
    const program = `import sys, json, xml.etree.ElementTree as tree
cases = tree.fromstring(sys.stdin.buffer.read()).iter('testcase')
print(json.dumps([[case.get('name'), *(one.tag for one in case), *(one.get('message') for one in case)] for case in cases]))`;
    const { stdout, code } = await run(python ?? '', ['-c', program], { input: junitXml(result) });
    expect(code).toBe(0);
    expect(JSON.parse(stdout.toString())).toEqual([
      ['a'],
      ['b & "<b>"\ufffd[1m\ufffd\n', 'failure', 'Yours is BGR & <wrong>.'],
      ['c', 'error', 'INPUT_MISSING: There is no such file.'],
    ]);
  });
});
