import { Caudex } from './caudex.js';

describe('a page of another origin', () => {
  let caudex: Caudex;
  beforeAll(async () => {
    caudex = await Caudex.start({ CAUDEX__HTTP__CORS_ORIGINS: '[https://app.example.com]' });
  }, 120_000);
  afterAll(() => caudex.stop());

  const preflight = (origin: string) =>
    fetch(`${caudex.url}/v1/api/chat`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });

  it('may call the API where its origin is configured', async () => {
    const answer = await preflight('https://app.example.com');
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(answer.headers.get('access-control-allow-headers')).toContain('authorization');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    const refused = await fetch(`${caudex.url}/v1/api/projects`, { headers: { origin: 'https://app.example.com' } });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
  });

  it('may not where it is not', async () => {
    const answer = await preflight('https://evil.example.com');
    expect(answer.headers.get('access-control-allow-origin')).not.toBe('https://evil.example.com');
  });
});
