import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess } from '../server-process.js';

/** `KILL_ROUNDS` makes a longer run of it. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 2);
/** Waits for progress and not for a time, so that a kill comes in the middle of the work on a slow machine too. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('what was acknowledged before a kill', () => {
  let dataDir: string;
  let server: ServerProcess;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'caudex-kill-'));
  });
  afterEach(async () => {
    await server.end('SIGKILL');
    rmSync(dataDir, { recursive: true });
  });

  it(
    'is charged exactly once, however often it is asked for again',
    async () => {
      const settings = { DATA_DIR: dataDir, CAUDEX__BILLING__STARTING_CREDITS: '100000' };
      const charged = new Map<string, number>();
      const sent: string[] = [];
      const capture = async (message_id: string) => {
        const credits = 1 + (message_id.length % 3);
        const { status, body } = await server.call('POST', '/captures', 'ada', { message_id, credits });
        expect({ status, charged: body['charged'] }).toEqual({ status: 200, charged: credits });
        charged.set(message_id, credits);
      };
      const client = async (name: string) => {
        for (let n = 0; ; n++) {
          const id = `${name}-${n}`;
          await server.call('POST', '/reservations', 'ada', { message_id: id, credits: 5 });
          sent.push(id);
          await capture(id);
        }
      };
      for (let round = 0; round < ROUNDS; round++) {
        server = await ServerProcess.start('billing', settings);
        const clients = Promise.allSettled(['a', 'b', 'c'].map((name) => client(`${name}${round}`)));
        const wanted = charged.size + 15 + ((7 * round) % 40);
        await until(() => charged.size >= wanted);
        await server.end('SIGKILL');
        for (const { status } of await clients) expect(status).toBe('rejected');
        server = await ServerProcess.start('billing', settings);
        // Like the outbox, sends again every call without an answer, and some with one.
        for (const id of sent.slice(-20)) await capture(id);
        const { body: balance } = await server.call('GET', '/balance', 'ada');
        const total = [...charged.values()].reduce((sum, credits) => sum + credits, 0);
        expect(balance['credits']).toBe(100_000 - total);
        const { body: usage } = await server.call('GET', '/usage?limit=1', 'ada');
        expect(usage['total']).toBe(charged.size + 1);
        await server.end('SIGKILL');
      }
    },
    30_000 + ROUNDS * 10_000,
  );

  it(
    'can sign in, and stays signed out',
    async () => {
      const accounts: string[] = [];
      const revoked: string[] = [];
      const tokens: string[] = [];
      const client = async (name: string) => {
        for (let n = 0; ; n++) {
          const credentials = { email: `${name}-${n}@example.com`, password: 'correct horse' };
          expect(await server.call('POST', '/accounts', '', credentials)).toMatchObject({ status: 201 });
          accounts.push(credentials.email);
          const { body } = await server.call('POST', '/sessions', '', credentials);
          const token = body['token'] as string;
          if (n % 2 === 0) tokens.push(token);
          else if ((await server.call('POST', '/sessions/revoke', '', { token })).status === 200) revoked.push(token);
        }
      };
      const verify = async (token: string) => (await server.call('POST', '/sessions/verify', '', { token })).body;
      for (let round = 0; round < 2; round++) {
        server = await ServerProcess.start('auth', { DATA_DIR: dataDir });
        const clients = Promise.allSettled(['a', 'b'].map((name) => client(`${name}${round}`)));
        const wanted = revoked.length + 2;
        await until(() => revoked.length >= wanted);
        await server.end('SIGKILL');
        await clients;
      }
      server = await ServerProcess.start('auth', { DATA_DIR: dataDir });
      for (const email of accounts) {
        const answer = await server.call('POST', '/accounts', '', { email, password: 'correct horse' });
        expect(answer).toMatchObject({ status: 409, body: { code: 'email_taken' } });
      }
      for (const token of tokens) expect(await verify(token)).toMatchObject({ active: true });
      for (const token of revoked) expect(await verify(token)).toEqual({ active: false, reason: 'revoked' });
    },
    30_000 + ROUNDS * 10_000,
  );
});
