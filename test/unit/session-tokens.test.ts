import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { importJWK, SignJWT, UnsecuredJWT, type JWK } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readAccessToken, signAccessToken } from '../../src/domain/session/access-tokens.ts';
import { loadKeyRing } from '../../src/domain/session/key-file.ts';
import { newKey, parseKeyRing, type KeyRing } from '../../src/domain/session/key-ring.ts';
import { readRefreshToken, refreshToken } from '../../src/domain/session/refresh-tokens.ts';

const nowMs = Date.UTC(2026, 10, 23, 8);
const viewer = {
  userId: 123_456_789_012_345_678n,
  sessionId: 223_456_789_012_345_678n,
  appId: 'default',
  expiresAtMs: nowMs + 900_000,
};

let jwk: JWK;
let keys: KeyRing;
beforeAll(async () => {
  jwk = await newKey();
  keys = await parseKeyRing(JSON.stringify({ keys: [jwk] }));
});

describe('access tokens', () => {
  const read = (token: string, atMs = nowMs) => readAccessToken(keys, token, atMs);
  /** A token like ours but for what the test changes. */
  const signed = async (change: {
    header?: object;
    claims?: Record<string, unknown>;
    key?: Parameters<SignJWT['sign']>[0];
  }) =>
    new SignJWT({
      ...{ iss: 'fastim', aud: 'fastim', sub: '5', sid: '6', app: 'default', exp: 2_000_000_000 },
      ...change.claims,
    })
      .setProtectedHeader({ alg: 'HS256', kid: keys.first.kid, typ: 'at+jwt', ...change.header })
      .sign(change.key ?? keys.first.access);

  test('say who bears them until they expire, to the second', async () => {
    const token = signAccessToken(keys, viewer, nowMs);
    expect(read(token)).toEqual(viewer);
    expect(read(token, viewer.expiresAtMs - 1000)).toEqual(viewer);
    expect(read(token, viewer.expiresAtMs)).toBe('EXPIRED');
  });

  test('of any other making are forged, whatever they say', async () => {
    expect(read(await signed({}))).toMatchObject({ userId: 5n, sessionId: 6n });
    const other = await newKey();
    const stranger = await parseKeyRing(JSON.stringify({ keys: [other] }));
    const claims = { sub: '5', sid: '6', app: 'default' };
    const forged = [
      await signed({ key: stranger.first.access }),
      await signed({ header: { kid: stranger.first.kid } }),
      await signed({ header: { kid: undefined } }),
      await signed({ header: { typ: 'JWT' } }),
      await signed({ header: { typ: undefined } }),
      await signed({ claims: { iss: 'another' } }),
      await signed({ claims: { aud: 'another' } }),
      await signed({ claims: { exp: undefined } }),
      await signed({ claims: { app: undefined } }),
      await signed({ claims: { app: 7 } }),
      await signed({ claims: { sub: undefined } }),
      await signed({ claims: { sub: '-5' } }),
      await signed({ claims: { sub: '5; DROP' } }),
      await signed({ claims: { sid: 6 } }),
      await signed({ key: stranger.first.access, claims: { exp: 1 } }),
      new UnsecuredJWT(claims).setIssuer('fastim').setAudience('fastim').encode(),
      // Of the ring's own keys, for other uses and by other algorithms.
      await signed({ key: keys.first.refresh }),
      await signed({ key: Buffer.from(jwk.d!, 'base64url') }),
      // The public half is no secret.
      await signed({ key: Buffer.from(jwk.x!, 'base64url') }),
      await signed({ header: { alg: 'EdDSA' }, key: await importJWK(jwk, 'EdDSA') }),
      await signed({ header: { alg: 'HS512' } }),
      ...['', '.', '..', 'a.b.c', 'null', '🧧'],
    ];
    for (const token of forged) expect(read(token), token).toBe('FORGED');
    const good = await signed({});
    const at = good.lastIndexOf('.') + 1;
    const cut = [good.slice(0, -8), good.slice(0, at), `${good}AAAA`, `${good}.`, `.${good}`];
    // Nothing stands beside the alphabet, though a decoder would pass over it.
    const strewn = [`${good}=`, `${good} `, `${good}\n`, good.replace('.', '.!')];
    for (const token of [...cut, ...strewn]) expect(read(token), token).toBe('FORGED');
    // What it says must be understood cannot be.
    expect(read(await signed({ header: { crit: ['b64'], b64: true } }))).toBe('FORGED');
  });

  test('changed in any one character are forged', async () => {
    const token = signAccessToken(keys, viewer, nowMs);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(token.length - 1),
        fc.constantFrom('A', 'q', '.', '-'),
        async (at, to) => {
          // The signature's last character has bits that mean nothing.
          fc.pre(token[at] !== to && at !== token.length - 1);
          expect(read(token.slice(0, at) + to + token.slice(at + 1))).toBe('FORGED');
        },
      ),
    );
  });
});

describe('refresh tokens', () => {
  test('say which session and generation they are of, and are the same whoever derives them', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).filter((id) => id < 10n ** 19n),
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        (sessionId, generation) => {
          const token = refreshToken(keys.first, { sessionId, generation });
          expect(refreshToken(keys.first, { sessionId, generation })).toBe(token);
          expect(readRefreshToken(keys, token)).toEqual({ sessionId, generation });
        },
      ),
    );
  });

  test('changed in any one character are nobody’s', () => {
    const token = refreshToken(keys.first, { sessionId: viewer.sessionId, generation: 7 });
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, to) => {
        fc.pre(token[at] !== to);
        expect(readRefreshToken(keys, token.slice(0, at) + to + token.slice(at + 1))).toBeNull();
      }),
    );
    for (const text of ['', `${token}\n`, ` ${token}`, token.slice(0, -1)]) {
      expect(readRefreshToken(keys, text)).toBeNull();
    }
  });

  test('of a key that is not in the ring are nobody’s, also under the name of one that is', async () => {
    const other = await parseKeyRing(
      JSON.stringify({ keys: [{ ...(await newKey()), kid: jwk.kid }] }),
    );
    const token = refreshToken(other.first, { sessionId: 5n, generation: 1 });
    expect(readRefreshToken(other, token)).not.toBeNull();
    expect(readRefreshToken(keys, token)).toBeNull();
  });
});

describe('a key ring', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'fastim-keys-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('signs with the first key, and verifies with all', async () => {
    const [second, third] = [await newKey(), await newKey()];
    const rotated = await parseKeyRing(JSON.stringify({ keys: [second, jwk, third] }));
    expect(rotated.first.kid).toBe(second.kid);
    const old = signAccessToken(keys, viewer, nowMs);
    const young = signAccessToken(rotated, viewer, nowMs);
    expect(readAccessToken(rotated, old, nowMs)).toEqual(viewer);
    expect(readAccessToken(rotated, young, nowMs)).toEqual(viewer);
    expect(readAccessToken(keys, young, nowMs)).toBe('FORGED');
    const claim = { sessionId: 5n, generation: 2 };
    expect(readRefreshToken(rotated, refreshToken(keys.first, claim))).toEqual(claim);
  });

  test('a key without kid has its thumbprint', async () => {
    const { kid, ...nameless } = jwk;
    const { first } = await parseKeyRing(JSON.stringify({ keys: [nameless] }));
    expect(first.kid).toBe(kid);
  });

  test('that cannot be used is refused with a reason, and never shown', async () => {
    const { d, ...publicOnly } = jwk;
    const strange = await newKey();
    for (const [text, reason] of [
      [`{"keys": [{"d": "${d}"`, 'no JSON'],
      ['[]', 'no JWK set'],
      ['{"keys": {}}', 'no JWK set'],
      ['{"keys": []}', 'holds no key'],
      [JSON.stringify({ keys: [publicOnly] }), 'key 1 is no private Ed25519 key'],
      [JSON.stringify({ keys: [jwk, { ...jwk, crv: 'X25519' }] }), 'key 2 is no private'],
      [JSON.stringify({ keys: [{ ...jwk, kid: 'a.b' }] }), 'the kid of key 1'],
      [JSON.stringify({ keys: [jwk, jwk] }), 'one kid'],
      [JSON.stringify({ keys: [{ ...jwk, d: 'AAAA' }] }), 'key 1 is damaged'],
      [JSON.stringify({ keys: [{ ...jwk, x: strange.x }] }), 'key 1 is damaged'],
    ] as const) {
      const file = path.join(folder, 'keys.json');
      await writeFile(file, text);
      const load = loadKeyRing({ path: file, isMadeIfMissing: true });
      await expect(load).rejects.toThrow(reason);
      await expect(load).rejects.toThrow(file);
      await expect(load).rejects.not.toThrow(d!);
      expect(await readFile(file, 'utf8'), 'it is left alone').toBe(text);
    }
  });

  test('that the operator gives must be there', async () => {
    const file = path.join(folder, 'none.json');
    await expect(loadKeyRing({ path: file, isMadeIfMissing: false })).rejects.toThrow(
      'no such file',
    );
    expect(await readdir(folder)).toEqual([]);
  });

  test('made by many at once is one', async () => {
    for (let round = 0; round < 25; round += 1) {
      const file = path.join(folder, `new ${round}`, 'keys.json');
      const rings = await Promise.all(
        // Not all in step, or each would read when all have written.
        Array.from({ length: 8 }, async (_, index) => {
          await sleep(index / 4);
          return loadKeyRing({ path: file, isMadeIfMissing: true });
        }),
      );
      expect(new Set(rings.map(({ first }) => first.kid)).size).toBe(1);
      expect(await readdir(path.dirname(file))).toEqual(['keys.json']);
    }
  });
});
