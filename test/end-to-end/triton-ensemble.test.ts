import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findPythonWith } from '../support/python.ts';
import { run } from '../support/run.ts';

/*
 * The model repository of examples/triton, read with the message of Triton's own client.
 */

const python = findPythonWith('tritonclient.grpc', 'google.protobuf');
const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

interface Declared {
  readonly name: string;
  readonly model: string;
  readonly kind: 'input' | 'output';
  readonly datatype: string;
  readonly dims: readonly number[];
}

describe('examples/triton/models', () => {
  it.skipIf(python === undefined)(
    'declares each tensor of the ensemble with one datatype and one shape',
    async () => {
      const parameters = [pathOf('triton_ensemble.py'), pathOf('../../examples/triton/models')];
      const { code, stdout, stderr } = await run(python ?? '', parameters);
      expect(code, stderr).toBe(0);
      const declared = stdout
        .toString()
        .trim()
        .split('\n')
        .map((line): Declared => JSON.parse(line));
      const forms = new Map<string, Set<string>>();
      for (const { name, datatype, dims } of declared) {
        forms.set(name, (forms.get(name) ?? new Set()).add(`${datatype} ${dims}`));
      }
      expect(Object.fromEntries([...forms].map(([name, all]) => [name, [...all]]))).toEqual({
        pixel_values: ['TYPE_FP32 3,-1,-1'],
        pixel_mask: ['TYPE_INT64 -1,-1'],
        logits: ['TYPE_FP32 100,92'],
        pred_boxes: ['TYPE_FP32 100,4'],
        labels: ['TYPE_INT64 100'],
        scores: ['TYPE_FP32 100'],
        boxes: ['TYPE_FP32 100,4'],
      });
      // A step takes what the caller sends or an earlier step returns.
      const known = new Set<string>();
      for (const { name, model, kind } of declared.filter(
        (each) => each.kind === 'input' || each.model !== 'detection',
      )) {
        if (kind === 'output' || model === 'detection') known.add(name);
        else expect(known, `${model} takes ${name}`).toContain(name);
      }
    },
  );
});
