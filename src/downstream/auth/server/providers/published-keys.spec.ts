import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { errors, exportJWK, generateKeyPair } from 'jose';
import { Problem } from '../../../../http/problem.js';
import { Outside } from './outside.js';
import { PublishedKeys } from './published-keys.js';

const MINUTE_MS = 60_000;

describe('the published keys', () => {
  let server: Server;
  let published: string[];
  let asked: number;
  let away: boolean;
  let now: number;
  let keys: PublishedKeys;
  let jwk: object;
  const find = (kid: string) => keys.keyFor({ alg: 'RS256', kid }, { payload: '', signature: '' });

  beforeAll(async () => {
    Logger.overrideLogger(false);
    jwk = await exportJWK((await generateKeyPair('RS256')).publicKey);
  });
  beforeEach(async () => {
    [published, asked, away, now] = [['a'], 0, false, 0];
    server = createServer((_, response) => {
      asked++;
      response.writeHead(away ? 503 : 200, { 'cache-control': 'public, max-age=3600, must-revalidate' });
      response.end(JSON.stringify({ keys: published.map((kid) => ({ ...jwk, kid, alg: 'RS256' })) }));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const outside = new Outside('the issuer', { timeoutMs: 2000, failures: 100, recoveryMs: 10 });
    keys = new PublishedKeys(outside, { locate: () => Promise.resolve(url), now: () => now });
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('are fetched once in their cache life, however many callers there are', async () => {
    await Promise.all([find('a'), find('a'), find('a')]);
    now = 59 * MINUTE_MS;
    await find('a');
    expect(asked).toBe(1);
    now = 61 * MINUTE_MS;
    await find('a');
    expect(asked).toBe(2);
  });

  it('are renewed early for a new key, and drop an old one at the renewal', async () => {
    await find('a');
    published = ['b'];
    now = MINUTE_MS;
    await find('b');
    await expect(find('a')).rejects.toThrow(errors.JWKSNoMatchingKey);
  });

  it('are not fetched again for each token with an invented key id', async () => {
    await find('a');
    for (let i = 0; i < 20; i++) await expect(find(`made-up-${i}`)).rejects.toThrow(errors.JWKSNoMatchingKey);
    expect(asked).toBe(1);
    now = MINUTE_MS;
    for (let i = 0; i < 20; i++) await expect(find(`made-up-${i}`)).rejects.toThrow(errors.JWKSNoMatchingKey);
    expect(asked).toBe(2);
  });

  it('stay in use while the issuer is unavailable, and an unknown key is then a 424', async () => {
    await find('a');
    away = true;
    now = 24 * 60 * MINUTE_MS;
    await find('a');
    await expect(find('b')).rejects.toThrow(Problem);
    [away, published] = [false, ['b']];
    now += MINUTE_MS;
    await find('b');
    await expect(find('a')).rejects.toThrow(errors.JWKSNoMatchingKey);
  });

  it('are a problem of status 424 where they could never be fetched', async () => {
    away = true;
    await expect(find('a')).rejects.toMatchObject({ problem: { status: 424 } });
  });
});
