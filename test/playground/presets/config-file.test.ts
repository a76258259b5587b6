import { describe, expect, it } from 'vitest';
import {
  isConfigFile,
  problemOfConfig,
  readConfigFile,
} from '../../../src/playground/presets/config-file.ts';

describe(isConfigFile, () => {
  it.each([
    ['preprocessor_config.json', '', true],
    ['config', 'application/json', true],
    ['photo.jpg', 'image/jpeg', false],
  ])('of %s of type "%s" is %s', (name, type, expected) => {
    expect(isConfigFile(new File([], name, { type }))).toBe(expected);
  });
});

describe(problemOfConfig, () => {
  it('accepts an object and names what else it is', () => {
    expect(problemOfConfig('{"size": 224}')).toBeUndefined();
    expect(problemOfConfig('[1]')).toBe('It is not a JSON object.');
    expect(problemOfConfig('{"size":')).toMatch(/^It is not JSON: /);
  });
});

describe(readConfigFile, () => {
  it('refuses what the service would refuse, with the limit', async () => {
    const long = new File([`{"a": "${'x'.repeat(70_000)}"}`], 'long.json');
    await expect(readConfigFile(long)).rejects.toThrow('long.json has 70.0 kB; at most 65.5 kB are taken.');
    await expect(readConfigFile(new File(['words'], 'a.json'))).rejects.toThrow(/^a\.json: It is not JSON: /);
  });
});
