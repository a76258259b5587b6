import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { thirdPartyNotices } from '../../.ci/third-party-notices.ts';

describe(thirdPartyNotices, () => {
  const notices = thirdPartyNotices('.');
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    dependencies: Readonly<Record<string, string>>;
  };

  it.each(Object.entries(dependencies))('contains %s %s with its licence', (name, version) => {
    expect(notices).toMatch(new RegExp(`^${name} ${version}\n\nLicence: \\S`, 'm'));
  });

  it('contains the texts of licences', () => {
    expect(notices).toContain('Permission is hereby granted, free of charge');
    expect(notices).toContain('Apache License');
  });
});
