import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareVersions, parseVersion } from '../../src/domain/lsb/versions.ts';
import { parseRules, placeOf, trackFor } from '../../src/domain/lsb/rules.ts';
import { Fault } from '../../src/lib/fault.ts';

const ask = { appId: 'default', clientVersion: null, deviceId: null };

describe('versions', () => {
  test('are older and newer as semver.org has it', () => {
    const inOrder =
      '1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.2 1.10 2.0.0.1';
    const versions = inOrder.split(' ').map((text) => parseVersion(text)!);
    versions.forEach((a, i) => {
      versions.forEach((b, j) => expect(Math.sign(compareVersions(a, b))).toBe(Math.sign(i - j)));
    });
    expect(compareVersions(parseVersion('v2')!, parseVersion('2.0.0+build.7')!)).toBe(0);
  });

  test('are nothing else', () => {
    for (const text of ['', 'two', '1.', '1..2', '1.2.3.4.5', '1.2-', '2.4.0 (17)', '-1', '1e3']) {
      expect(parseVersion(text), text).toBeNull();
    }
  });

  test('have one order, whatever they are', () => {
    const number = fc.nat({ max: 3 });
    const part = fc.constantFrom('a', 'b', '1', '2', '10');
    const version = fc.record({
      numbers: fc.array(number, { minLength: 1, maxLength: 4 }),
      before: fc.array(part, { maxLength: 2 }),
    });
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) {
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
        }
      }),
    );
  });
});

describe('the rules of the LSB', () => {
  test('the first that fits decides, and whom none fits goes to the stable track', () => {
    const rules = parseRules({
      rules: [
        { name: 'old', track: 'legacy', clientVersions: { below: '2.0.0' } },
        { name: 'beta', track: 'canary', apps: ['beta'] },
        {
          name: 'new',
          track: 'next',
          apps: ['default', 'beta'],
          clientVersions: { from: '3.0.0', below: '4.0.0' },
        },
      ],
    });
    const trackOf = (appId: string, clientVersion: string | null): string =>
      trackFor(rules, { appId, clientVersion, deviceId: null });
    expect(trackOf('default', '1.9.9')).toBe('legacy');
    expect(trackOf('beta', '1.9.9')).toBe('legacy');
    expect(trackOf('beta', '2.0.0')).toBe('canary');
    expect(trackOf('beta', null)).toBe('canary');
    expect(trackOf('default', '2.0.0')).toBe('stable');
    expect(trackOf('default', '3.0.0')).toBe('next');
    expect(trackOf('default', '3.9')).toBe('next');
    // What comes before 4.0.0 is below it.
    expect(trackOf('default', '4.0.0-rc.1')).toBe('next');
    expect(trackOf('default', '4.0.0')).toBe('stable');
    expect(trackOf('default', 'latest')).toBe('stable');
    expect(trackOf('default', null)).toBe('stable');
  });

  test('a share of the devices is that share, the same ones each time, and more of them when it grows', () => {
    const share = (percent: number, name = 'canary') =>
      parseRules({ rules: [{ name, track: 'canary', percent }] });
    const devices = Array.from({ length: 10_000 }, (_, index) => `device-${index}`);
    const taken = (percent: number, name?: string): string[] =>
      devices.filter(
        (deviceId) => trackFor(share(percent, name), { ...ask, deviceId }) === 'canary',
      );
    const ten = taken(10);
    // 10 % of 10,000, within four standard deviations.
    expect(Math.abs(ten.length - 1_000)).toBeLessThan(120);
    expect(taken(10)).toEqual(ten);
    const twenty = new Set(taken(20));
    expect(ten.every((device) => twenty.has(device))).toBe(true);
    const others = taken(10, 'another');
    const both = others.filter((device) => ten.includes(device));
    expect(both.length).toBeLessThan(200);
    expect(taken(0)).toEqual([]);
    expect(taken(100)).toHaveLength(10_000);
    // Where a device stands must never change, from release to release.
    expect(placeOf('canary', 'default', 'device-1')).toBeCloseTo(46.175, 3);
  });

  test('who tells no device is in no share of them, but for all', () => {
    const rules = (percent: number) => parseRules({ rules: [{ name: 'a', track: 'b', percent }] });
    expect(trackFor(rules(99.99), ask)).toBe('stable');
    expect(trackFor(rules(100), ask)).toBe('b');
  });

  test('that are wrong are refused, with all that is wrong in them', () => {
    const wrong = {
      rules: [
        { name: 'a b', track: 'canary' },
        { name: 'twice', track: 'canary', percent: 101 },
        { name: 'twice', track: '', clientVersions: { from: '3.0', below: '2.0' } },
        { name: 'c', track: 'd', clientVersions: { from: 'new' }, apps: [] },
        { name: 'e', track: 'd', precent: 10, clientVersions: {} },
        { track: 'd', percent: '10' },
      ],
    };
    const refusal = refusalOf(wrong);
    for (const part of [
      '$.rules[0].name must be a name',
      '$.rules[1].percent must be a number from 0 to 100',
      '$.rules[2].track must be a name',
      '$.rules[2].clientVersions must have its "from" below its "below"',
      '$.rules[3].clientVersions.from must be a version',
      '$.rules[3].apps must name an app',
      '"precent"',
      '$.rules[4].clientVersions must bound versions',
      '$.rules[5].name',
      '$.rules[5].percent',
    ]) {
      expect(refusal).toContain(part);
    }
    expect(
      refusalOf({
        rules: [
          { name: 'x', track: 'y' },
          { name: 'x', track: 'z' },
        ],
      }),
    ).toContain('$.rules[1].name is taken already');
    const many = Array.from({ length: 101 }, (_, index) => ({ name: `r${index}`, track: 'y' }));
    expect(refusalOf({ rules: many })).toContain('100 at most');
    for (const value of [null, [], 'rules', { rules: {} }, { rule: [] }]) refusalOf(value);
  });
});

function refusalOf(value: unknown): string {
  try {
    parseRules(value);
  } catch (error) {
    if (error instanceof Fault && error.code === 'INVALID_ARGUMENT') return error.message;
    throw error;
  }
  throw new Error('not refused');
}
