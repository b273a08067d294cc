import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GitServerModule } from '../src/downstream/git/server/git-server.module.js';
import { startForTest } from './server-under-test.js';

/** A real Neo4j; `.ci/neo4j` starts one. */
const NEO4J = process.env['NEO4J_TEST_URL'];
if (NEO4J === undefined) console.warn('NEO4J_TEST_URL is not set: the git server is not tried on Neo4j');

/** A connection to Neo4j that can be cut or delayed. */
class Wire {
  private mode: 'open' | 'cut' | 'mute' = 'open';
  private readonly sockets = new Set<Socket>();
  private constructor(private readonly server: Server) {}

  static async to(target: URL): Promise<Wire> {
    const server = createServer();
    const wire = new Wire(server);
    server.on('connection', (near: Socket) => {
      if (wire.mode === 'cut') return void near.destroy();
      const far = connect(Number(target.port), target.hostname);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        wire.sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => other.destroy());
        socket.on('data', (bytes) => wire.mode !== 'mute' && other.write(bytes));
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return wire;
  }

  get url(): string {
    return `bolt://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  become(mode: 'open' | 'cut' | 'mute'): void {
    this.mode = mode;
    if (mode !== 'mute') for (const socket of this.sockets) socket.destroy();
  }

  close(): void {
    this.become('cut');
    this.server.close();
  }
}

(NEO4J === undefined ? describe.skip : describe)('a git server with its graph in Neo4j', () => {
  let dataDir: string;
  const user = `ada-${Math.random().toString(36).slice(2)}`;
  let wire: Wire;
  let server: Awaited<ReturnType<typeof startForTest>>;
  let count = 0;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'caudex-git-'));
    wire = await Wire.to(new URL(NEO4J as string));
    server = await startForTest('git', GitServerModule, {
      DATA_DIR: dataDir,
      GRAPH_SERVER_URL: wire.url,
      GRAPH_PASSWORD: process.env['NEO4J_TEST_PASSWORD'] ?? '',
    });
  }, 60_000);
  afterAll(async () => {
    await server.call('DELETE', '/projects/p', { user });
    await server.close();
    wire.close();
    rmSync(dataDir, { recursive: true });
  });

  const commit = (path: string, text: string) =>
    server.call('POST', '/projects/p/commits', {
      user,
      body: {
        ...{ path, text, version: `v${++count}`, message: `Save ${path}` },
        ...{ author: { name: 'Ada', email: 'ada@example.org' }, committed_at: new Date().toISOString() },
      },
    });
  const related = (headers: Record<string, string> = {}) =>
    server.call('GET', '/projects/p/related?path=a.md', { user, headers });
  async function caughtUp(paths: string[]): Promise<void> {
    for (const endMs = performance.now() + 15_000; performance.now() < endMs;) {
      const found = (await related()).body['related'] as { path: string }[] | undefined;
      if (found?.length === paths.length) return expect(found.map(({ path }) => path).sort()).toEqual(paths);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`the graph never knew ${paths.join(', ')}: ${JSON.stringify((await related()).body)}`);
  }

  it('returns related documents', async () => {
    await commit('a.md', 'see [b](b.md), [c](c.md), [d](d.md)');
    await commit('b.md', 'b');
    await caughtUp(['b.md']);
  }, 30_000);

  it('works without it, and updates it afterwards', async () => {
    wire.become('cut');
    expect((await commit('c.md', 'c')).status).toBe(200);
    expect(await related()).toMatchObject({ status: 424, body: { code: 'graph_away' } });
    wire.become('open');
    await caughtUp(['b.md', 'c.md']);
  }, 30_000);

  it('answers in time while it does not respond', async () => {
    wire.become('mute');
    const beganMs = performance.now();
    expect(await related({ 'x-request-timeout-ms': '300' })).toMatchObject({ status: 424 });
    expect(performance.now() - beganMs).toBeLessThan(300);
    expect((await commit('d.md', 'd')).status).toBe(200);
    expect(performance.now() - beganMs).toBeLessThan(5000);
    wire.become('open');
    await caughtUp(['b.md', 'c.md', 'd.md']);
  }, 30_000);
});
