import { describeWithPostgres, PostgresServer, testSettings } from '../storage/postgres/testing/postgres-server.js';
import { postgres } from './probes.js';

describeWithPostgres('the check of PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start();
    await server.query('CREATE ROLE guest LOGIN');
  });
  afterAll(() => server.stop());

  it('names every schema in which the user may not make tables', async () => {
    const url = await server.newDatabase();
    const asGuest = url.replace('caudex@', 'guest@');
    const { signal } = new AbortController();
    expect(await postgres(testSettings(url))(signal)).toMatch(/^PostgreSQL \d+/);
    await expect(postgres(testSettings(asGuest))(signal)).rejects.toThrow(
      'in the schemas auth, billing, backend, filesystem',
    );
  });
});
