import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Caudex, type Person, until } from './caudex.js';
import { filesWith } from './files-with.js';

interface AuditRecord {
  time: string;
  action: string;
  actor: string | null;
  key_id?: string;
  address: string;
  objects: Record<string, string | number>;
  request_id: string;
  outcome: string;
}

const JSON_TYPE = { 'content-type': 'application/json' };

describe('the audit log', () => {
  let caudex: Caudex;
  let operator: Person;

  beforeAll(async () => {
    caudex = await Caudex.start({ CAUDEX__AUTH__OPERATORS: '[root@example.org]' });
    operator = await caudex.signUp('root@example.org');
  }, 60_000);
  afterAll(() => caudex.stop());

  const records = async (query = '') => {
    return (await operator.get<{ records: AuditRecord[] }>(`/v1/api/audit${query}`)).records;
  };
  const login = (email: string, password: string) =>
    fetch(`${caudex.url}/v1/api/auth/login`, {
      method: 'POST',
      headers: { ...JSON_TYPE, 'x-request-id': 'try-1' },
      body: JSON.stringify({ email, password }),
    });

  it('records sign-ins, keys, deletions and operators, with ids and without texts', async () => {
    const since = new Date().toISOString();
    const person = await caudex.signUp('ada@example.org');
    const { user } = await person.get<{ user: { user_id: string } }>('/v1/api/auth/check');
    expect((await login('ada@example.org', 'a wrong password')).status).toBe(401);
    const key = await person.post<{ id: string; key: string }>('/v1/api/keys', { name: 'secretname' }, 201);
    const project = await person.project();
    await person.upload(project, 'secretpath.md', 'secret text');
    const withKey = { headers: { authorization: `Bearer ${key.key}` }, method: 'DELETE' };
    const document = `${caudex.url}/v1/api/projects/${project}/documents/secretpath.md`;
    expect((await fetch(document, withKey)).status).toBe(204);
    await person.delete(`/v1/api/projects/${project}`);
    await person.delete(`/v1/api/projects/${project}-other`, 404);
    await person.delete(`/v1/api/keys/${key.id}`);
    await operator.post('/v1/api/status/services/git/isolate', { reason: 'a drill' });
    await operator.post('/v1/api/status/services/git/release', {});
    const grant = { email: 'ada@example.org', credits: 7, note: 'secretnote' };
    const headers = { ...JSON_TYPE, 'idempotency-key': 'g-1' };
    for (let time = 0; time < 2; time++) {
      expect((await operator.request('POST', '/v1/api/billing/grants', JSON.stringify(grant), headers)).status).toBe(
        201,
      );
    }
    await person.post('/v1/api/auth/logout', {});

    const { user: root } = await operator.get<{ user: { user_id: string } }>('/v1/api/auth/check');
    const found = await records(`?since=${since}&limit=1000`);
    expect(found.map(({ action, actor, outcome }) => [action, actor, outcome])).toEqual([
      ['account.register', user.user_id, 'ok'],
      ['session.login', user.user_id, 'ok'],
      ['session.login', null, 'invalid_credentials'],
      ['key.create', user.user_id, 'ok'],
      ['document.delete', user.user_id, 'ok'],
      ['project.delete', user.user_id, 'ok'],
      ['project.delete', user.user_id, 'not_found'],
      ['key.delete', user.user_id, 'ok'],
      ['service.isolate', root.user_id, 'ok'],
      ['service.release', root.user_id, 'ok'],
      ['credits.grant', root.user_id, 'ok'],
      ['session.logout', user.user_id, 'ok'],
    ]);
    expect(found[2]).toMatchObject({ address: '127.0.0.1', request_id: 'try-1', objects: {} });
    expect(found[3]?.objects).toEqual({ id: key.id });
    expect(found[4]).toMatchObject({ key_id: key.id, objects: { project_id: project } });
    expect(found[10]?.objects).toEqual({ grant_id: expect.any(String), user_id: user.user_id, credits: 7 });
    for (const text of ['ada@', 'secret', 'cdx_', person.token, 'wrong']) {
      expect(JSON.stringify(found)).not.toContain(text);
      expect(filesWith(join(caudex.dataDir, 'backend', 'audit'), text)).toEqual([]);
    }
    expect((await records('?limit=1'))[0]).toMatchObject({ action: 'audit.read' });
  }, 30_000);

  it('is for operators alone, and survives a kill', async () => {
    const person = await caudex.signUp();
    await person.get('/v1/api/audit', 403);
    await operator.get('/v1/api/audit?since=yesterday', 400);
    const before = await records('?limit=1000');
    await caudex.kill('backend');
    await caudex.launch('backend');
    expect((await records('?limit=1000')).slice(0, before.length)).toEqual(before);
  }, 30_000);

  it('fails no sign-in where it cannot be written, and the log of the program has the record', async () => {
    await caudex.signUp('eve@example.org');
    const dir = join(caudex.dataDir, 'backend', 'audit');
    rmSync(dir, { recursive: true });
    writeFileSync(dir, 'not a folder');
    expect((await login('eve@example.org', 'correct horse battery')).status).toBe(200);
    await until('it is logged', async () =>
      caudex.output.some((line) => line.includes('Audit log: a record could not')),
    );
    rmSync(dir);
    expect((await login('eve@example.org', 'correct horse battery')).status).toBe(200);
    expect(await records()).toMatchObject([{ action: 'session.login', outcome: 'ok' }]);
  }, 30_000);
});
