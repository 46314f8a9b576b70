import { expect, it } from 'vitest';
import { redisAddressOf, redisOf, splitAddresses } from '../../src/lib/redis-address.ts';

it('reads URLs as they are, and sentinels with the name of their primary', () => {
  expect(redisAddressOf('redis://:secret@one:6379/1')).toEqual({
    kind: 'url',
    url: 'redis://:secret@one:6379/1',
  });
  expect(redisAddressOf('sentinel://one,two:26380/main')).toEqual({
    kind: 'sentinel',
    sentinels: [
      { host: 'one', port: 26_379 },
      { host: 'two', port: 26_380 },
    ],
    name: 'main',
    username: null,
    password: null,
    sentinelPassword: null,
    db: 0,
    isTls: false,
  });
  expect(
    redisAddressOf('sentinels://me:p%40ss@[::1]:5000,[fe80::1]/my-main/3?sentinelPassword=x%26y'),
  ).toEqual({
    kind: 'sentinel',
    sentinels: [
      { host: '::1', port: 5000 },
      { host: 'fe80::1', port: 26_379 },
    ],
    name: 'my-main',
    username: 'me',
    password: 'p@ss',
    sentinelPassword: 'x&y',
    db: 3,
    isTls: true,
  });
  expect(redisAddressOf('sentinel://:secret@one/main')).toMatchObject({
    username: null,
    password: 'secret',
  });
});

it.each([
  'sentinel://one',
  'sentinel:///main',
  'sentinel://one,/main',
  'sentinel://one/main/x',
  'sentinel://:%zz@one/main',
  'http://one',
  'one:6379',
  'redis://',
])('takes %s for none', (text) => {
  expect(redisAddressOf(text)).toBeNull();
});

it('splits where another scheme begins, not between the hosts of sentinels', () => {
  expect(splitAddresses(' redis://one, sentinel://a:1, b:2/main,rediss://two, ')).toEqual([
    'redis://one',
    'sentinel://a:1,b:2/main',
    'rediss://two',
  ]);
  expect(splitAddresses('')).toEqual([]);
});

it('knows one Redis again, whatever else an address says', () => {
  expect(redisOf('redis://:a@one/1')).toBe(redisOf('redis://one:6379/2'));
  expect(redisOf('redis://one:6380')).not.toBe(redisOf('redis://one'));
  expect(redisOf('sentinel://a,b/main')).toBe(redisOf('sentinel://:x@b:26379,a/main/4'));
  expect(redisOf('sentinel://a,b/main')).not.toBe(redisOf('sentinel://a,b/other'));
});
