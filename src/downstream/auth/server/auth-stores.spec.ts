import type { AuthStores } from './auth-stores.js';
import { digestOf, type NewKey } from './keys/key-store.js';
import { describeWithPostgres } from '../../../storage/postgres/testing/postgres-server.js';
import { describeStores, onPostgres } from './testing/each-engine.js';

const ADA = { user_id: 'u1', email: 'ada@example.com', password_hash: 'hash', demo: false };
const KEY: NewKey = { name: 'n', scopes: ['read', 'chat'], project_id: null, expires_at: null };

describeStores('the data of auth', (open) => {
  let stores: AuthStores;
  beforeEach(async () => {
    stores = await open();
  });

  it('have one account for each address, found by it and by its id, after a restart too', async () => {
    expect(await stores.accounts.add(ADA)).toBe(true);
    expect(await stores.accounts.add({ ...ADA, user_id: 'u2' })).toBe(false);
    await stores.accounts.replaceHash('u1', 'better');
    stores = await open();
    const found = { user_id: 'u1', email: 'ada@example.com', password_hash: 'better' };
    expect(await stores.accounts.byEmail('ada@example.com')).toEqual(found);
    expect(await stores.accounts.byId('u1')).toEqual(found);
    expect(await stores.accounts.byId('u2')).toBeUndefined();
    expect(await stores.accounts.byEmail('a\0b@example.com')).toBeUndefined();
  });

  it('hide demo accounts unless they are allowed', async () => {
    await stores.accounts.add({ ...ADA, demo: true });
    expect(await stores.accounts.byEmail(ADA.email)).toBeUndefined();
    stores = await open(true);
    expect(await stores.accounts.byEmail(ADA.email)).toMatchObject({ user_id: 'u1' });
  });

  it('keep API keys by their digest, up to a number for each user', async () => {
    const created = await stores.keys.create('ada', { ...KEY, name: 'my\0 "key"', project_id: 'p' }, 2);
    expect(created?.stored).toMatchObject({ name: 'my\0 "key"', scopes: ['read', 'chat'], project_id: 'p' });
    expect(await stores.keys.use(created?.key ?? '')).toMatchObject({ userId: 'ada', key: { id: created?.stored.id } });
    expect(await stores.keys.use('cdx_other')).toBe('unknown');
    const past = await stores.keys.create('ada', { ...KEY, expires_at: '2020-01-01T00:00:00.000Z' }, 2);
    expect(await stores.keys.use(past?.key ?? '')).toBe('expired');
    expect(await stores.keys.create('ada', KEY, 2)).toBeUndefined();
    const listed = await stores.keys.list('ada');
    expect(listed.map(({ id }) => id).sort()).toEqual([created?.stored.id, past?.stored.id].sort());
    expect(listed.find(({ id }) => id === created?.stored.id)).toEqual({
      ...created?.stored,
      last_used_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await stores.keys.list('bob')).toEqual([]);
    expect(await stores.keys.delete('bob', created?.stored.id ?? '')).toBe(false);
    expect(await stores.keys.delete('ada', 'no\0key')).toBe(false);
    expect(await stores.keys.delete('ada', created?.stored.id ?? '')).toBe(true);
    expect(await stores.keys.use(created?.key ?? '')).toBe('unknown');
  });

  it('keep invitations by their digest, each for one account', async () => {
    const soon = new Date(Date.now() + 60_000).toISOString();
    const made = await stores.invitations.create({ email: ADA.email, expires_at: soon, created_by: 'op' }, 2);
    const past = { email: null, expires_at: new Date(Date.now() - 1000).toISOString(), created_by: 'op' };
    const late = await stores.invitations.create(past, 2);
    const other = await stores.invitations.create({ ...past, expires_at: soon }, 2);
    expect(await stores.invitations.create({ ...past, expires_at: soon }, 2)).toBeUndefined();
    const token = made?.token ?? '';
    expect(token).toMatch(/^cdxinv_[\w-]{43}$/);
    expect(await stores.invitations.valid(token)).toEqual(made?.stored);
    expect(await stores.invitations.valid(late?.token ?? '')).toBeUndefined();
    expect(await stores.invitations.valid('cdxinv_other')).toBeUndefined();
    expect(JSON.stringify(await stores.invitations.list(10))).not.toContain(token);

    const { demo: _, ...account } = ADA;
    expect(await stores.accounts.addInvited(account, digestOf(late?.token ?? ''))).toBe('refused');
    expect(await stores.accounts.byEmail(ADA.email)).toBeUndefined();
    const atOnce = [account, { ...account, user_id: 'u2', email: 'eve@example.com' }];
    const outcomes = await Promise.all(atOnce.map((one) => stores.accounts.addInvited(one, digestOf(token))));
    expect(outcomes.sort()).toEqual(['added', 'refused']);
    stores = await open();
    expect(await stores.invitations.valid(token)).toBeUndefined();
    const [user] = (await stores.accounts.all()).map(({ user_id }) => user_id);
    const used = (await stores.invitations.list(10)).find(({ id }) => id === made?.stored.id);
    expect(used).toEqual({ ...made?.stored, used_by: user, used_at: expect.stringMatching(/^\d{4}-.*Z$/) });

    const again = { ...account, user_id: 'u3', email: (await stores.accounts.all())[0]?.email ?? '' };
    expect(await stores.accounts.addInvited(again, digestOf(other?.token ?? ''))).toBe('taken');
    expect(await stores.invitations.valid(other?.token ?? '')).toBeDefined();

    await stores.invitations.forgetUser(user ?? '');
    expect(await stores.invitations.delete(other?.stored.id ?? '')).toBe(true);
    expect(await stores.invitations.delete('no\0invitation')).toBe(false);
    expect(await stores.invitations.list(10)).toEqual([late?.stored]);
  });

  it('delete an account with the keys made until then', async () => {
    await stores.accounts.add(ADA);
    const old = await stores.keys.create('u1', KEY, 5);
    const until = new Date().toISOString();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const newer = await stores.keys.create('u1', KEY, 5);
    const others = await stores.keys.create('u2', KEY, 5);
    await stores.accounts.remove('u1');
    await stores.keys.deleteAll('u1', until);
    expect(await stores.accounts.byEmail(ADA.email)).toBeUndefined();
    expect(await stores.accounts.add({ ...ADA, user_id: 'u3' })).toBe(true);
    const uses = await Promise.all([old, newer, others].map((one) => stores.keys.use(one?.key ?? '')));
    expect(uses).toEqual(['unknown', expect.anything(), expect.anything()]);
  });

  it('keep of a deleted user of a provider only when that was', async () => {
    await stores.seenUsers.remember({ user_id: 'u1', email: 'ada@example.com', operator: false });
    expect(await stores.seenUsers.endedAtMs('u1')).toBeUndefined();
    await stores.seenUsers.forget('u1', 2000);
    await stores.seenUsers.forget('u1', 1000);
    expect(await stores.seenUsers.endedAtMs('u1')).toBe(2000);
    expect(await stores.seenUsers.byId('u1')).toBeUndefined();
    expect(await stores.seenUsers.byEmail('ada@example.com')).toEqual([]);
  });

  it('keep revoked tokens until they expire', async () => {
    await stores.revoked.add('t1', Date.now() + 60_000);
    await stores.revoked.add('t1', Date.now() + 60_000);
    await stores.revoked.add('t2', Date.now() - 1);
    await stores.revoked.add('t3', Date.now() + 60_000);
    const has = await Promise.all(['t1', 't2', 't3', 't4'].map((id) => stores.revoked.has(id)));
    expect(has).toEqual([true, false, true, false]);
  });

  it('remember the newest data of each user of a provider', async () => {
    await stores.seenUsers.remember({ user_id: 'u1', email: 'Ada@Example.com', operator: false });
    await stores.seenUsers.remember({ user_id: 'u1', email: 'Ada@Example.com', operator: true });
    await stores.seenUsers.remember({ user_id: 'u2', email: 'ada@example.com', operator: false });
    expect(await stores.seenUsers.byId('u1')).toEqual({ user_id: 'u1', email: 'Ada@Example.com', operator: true });
    expect(await stores.seenUsers.byId('u3')).toBeUndefined();
    expect((await stores.seenUsers.byEmail('ada@example.com')).map(({ user_id }) => user_id).sort()).toEqual([
      'u1',
      'u2',
    ]);
  });
});

describeWithPostgres('two auth servers on one PostgreSQL', () => {
  onPostgres((open) => {
    it('make one account for an address, and no more keys than a user may have', async () => {
      const both = [await open(), await open()];
      const added = await Promise.all(
        both.map(({ accounts }, index) => accounts.add({ ...ADA, user_id: `u${index}` })),
      );
      expect(added.filter(Boolean)).toHaveLength(1);
      const keys = await Promise.all(
        both.flatMap((stores) => Array.from({ length: 5 }, () => stores.keys.create('ada', KEY, 3))),
      );
      expect(keys.filter((one) => one !== undefined)).toHaveLength(3);
    });

    it('refuse a token at once that the other has revoked', async () => {
      const [a, b] = [await open(), await open()];
      await a.revoked.add('t1', Date.now() + 60_000);
      expect(await b.revoked.has('t1')).toBe(true);
    });

    it('count failures together', async () => {
      const both = [await open(), await open()];
      const after = (failures: number) => ({
        failures,
        blockedUntil: failures > 5 ? 2_000_000 : 0,
        forgetAt: 3_000_000,
      });
      const counted = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          (both[n % 2] as AuthStores).guesses.count([{ key: 'k', after }], 1_000_000),
        ),
      );
      expect(counted.filter((until) => until === 0)).toHaveLength(6);
      expect(counted.filter((until) => until === 2_000_000)).toHaveLength(14);
    });
  });
});
