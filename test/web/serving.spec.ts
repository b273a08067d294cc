import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Caudex } from '../system/caudex.ts';

const BUILT = existsSync(join(import.meta.dirname, '../../web/dist/index.html'));

(BUILT ? describe : describe.skip)('the page as it is served', () => {
  let caudex: Caudex;
  beforeAll(async () => {
    caudex = await Caudex.start({}, { apps: ['backend'] });
  });
  afterAll(() => caudex.stop());

  const get = (path: string, headers: Record<string, string> = {}) => fetch(caudex.url + path, { headers });

  it.each(['/', '/sign-in', '/projects', '/p/some-project/documents/read/a/b.md', '/status', '/usage', '/keys'])(
    'is the document at %s, with a strict policy',
    async (path) => {
      const answer = await get(path);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("script-src 'self'");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).not.toMatch(/unsafe|https:|\*/);
    },
  );

  it('is revalidated by its ETag, while its assets are kept for a year', async () => {
    const page = await get('/');
    const etag = page.headers.get('etag') ?? '';
    expect(page.headers.get('cache-control')).toBe('no-cache');
    // By default fetch would bypass every cache.
    const revalidated = await get('/', { 'if-none-match': etag, 'cache-control': 'max-age=0' });
    expect(revalidated.status).toBe(304);

    const [asset] = /\/assets\/[^"]+\.js/.exec(await page.text()) ?? [];
    const script = await get(asset as string, { 'accept-encoding': 'br' });
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(script.headers.get('content-encoding')).toBe('br');
    expect(script.headers.get('etag')).not.toBeNull();
    // A worker takes the policy of its own file.
    expect(script.headers.get('content-security-policy')).toBe("default-src 'self'");
  });

  it.each(['/v1/api/nothing', '/assets/nothing.js', '/nothing', '/health/nothing'])(
    'leaves %s a problem',
    async (path) => {
      const answer = await get(path);
      expect(answer.status).toBe(404);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    },
  );

  it('leaves other paths of /v1 to the errors that clients of OpenAI read', async () => {
    const answer = await get('/v1/nothing');
    expect(answer.status).toBe(404);
    expect(await answer.json()).toHaveProperty('error.message');
  });

  it('takes no other method, and says so', async () => {
    const answer = await fetch(`${caudex.url}/status`, { method: 'POST' });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toContain('GET');
  });
});
