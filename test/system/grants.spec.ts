import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Caudex, type Person } from './caudex.js';
import { chunk, FakeLlm, says } from './fake-llm.js';

const OPERATOR = 'operator@example.org';
const MAIN = join(process.env['CAUDEX_DIST'] ?? join(import.meta.dirname, '../../dist'), 'main.js');

describe('credits', () => {
  let llm: FakeLlm;
  let caudex: Caudex;
  let operator: Person;
  let ann: Person;

  beforeAll(async () => {
    llm = await FakeLlm.start();
    caudex = await Caudex.start({
      LLM_BASE_URL: llm.url,
      LLM_MODEL: 'fake',
      CAUDEX__AUTH__OPERATORS: `[${OPERATOR}]`,
      CAUDEX__BILLING__STARTING_CREDITS: '1',
    });
    operator = await caudex.signUp(OPERATOR);
    ann = await caudex.signUp('ann@example.org');
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    await llm.stop();
  });

  const balance = async () => (await ann.get<{ credits: number }>('/v1/api/billing/balance')).credits;
  const charged = async () => {
    const { rows } = await ann.get<{ rows: { kind: string; credits: number }[] }>('/v1/api/billing/usage');
    return rows.filter(({ kind }) => kind === 'capture').map(({ credits }) => credits);
  };

  async function commandLine(...args: string[]): Promise<{ code: number; output: string }> {
    const urls = { AUTH_SERVER_URL: caudex.urlOf('auth'), BILLING_SERVER_URL: caudex.urlOf('billing') };
    const env = { PATH: process.env['PATH'], NODE_ENV: 'test', DATA_DIR: caudex.dataDir, ...urls };
    const child = spawn(process.execPath, [MAIN, 'grant', ...args], { env });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()));
    const [code] = (await once(child, 'close')) as [number];
    return { code, output };
  }

  it('are given by an operator, once for a key, with a note in the ledger and a line in the log', async () => {
    const body = JSON.stringify({ email: 'Ann@example.org', credits: 50, note: 'For the trial' });
    const give = () =>
      operator.request('POST', '/v1/api/billing/grants', body, {
        'content-type': 'application/json',
        'idempotency-key': 'trial',
      });
    const first = await give();
    expect([first.status, await first.json()]).toMatchObject([
      201,
      { granted: 50, balance: 51, email: 'ann@example.org' },
    ]);
    expect((await give()).status).toBe(201);
    expect(await balance()).toBe(51);
    const { rows } = await ann.get<{ rows: object[] }>('/v1/api/billing/usage');
    expect(rows[0]).toMatchObject({ kind: 'grant', credits: 50, note: 'For the trial' });
    expect(caudex.output.join('')).toMatch(/Billing: operator@example\.org granted 50 credits to ann@example\.org/);
  });

  it('are granted by operators only, and only to existing accounts', async () => {
    const give = { email: 'ann@example.org', credits: 50 };
    expect(await ann.post('/v1/api/billing/grants', give, 403)).toMatchObject({ code: 'operators_only' });
    expect(await operator.post('/v1/api/billing/grants', { ...give, email: 'x@y.z' }, 404)).toMatchObject({
      code: 'not_found',
    });
    for (const credits of [0, -1, 1.5, 1e12]) await operator.post('/v1/api/billing/grants', { ...give, credits }, 400);
    const { key } = await operator.post<{ key: string }>('/v1/api/keys', { name: 'k', scopes: ['write'] }, 201);
    const byKey = await fetch(`${caudex.url}/v1/api/billing/grants`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(give),
    });
    expect(byKey.status).toBe(403);
  });

  it('are given on the command line', async () => {
    const before = await balance();
    const { code, output } = await commandLine('ann@example.org', '25');
    expect([code, output]).toEqual([
      0,
      expect.stringContaining(`ann@example.org was given 25 credits and has ${before + 25} now.`),
    ]);
    expect(output).toContain('(command line) granted 25 credits');
    expect(await balance()).toBe(before + 25);
    expect(await commandLine('ann@example.org', 'many')).toMatchObject({
      code: 1,
      output: expect.stringContaining('CREDITS: "many"') as string,
    });
    expect(await commandLine('x@y.z', '5')).toMatchObject({
      code: 1,
      output: expect.stringContaining('"x@y.z"') as string,
    });
  }, 60_000);

  it('are not charged for an interrupted answer', async () => {
    llm.behaviour = (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.write(chunk('It breaks '), () => setTimeout(() => reply.destroy(), 20));
    };
    const broken = await ann.chat(undefined, 'Break?');
    expect(broken).toMatchObject({ state: 'partial', usage: { credits: 0 } });
    llm.behaviour = says('Whole.');
    await ann.chat(undefined, 'Whole?');
    expect((await charged()).filter((credits) => credits !== 0)).toEqual([-1]);
  });
});
