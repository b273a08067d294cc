import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess } from '../server-process.js';

/** `KILL_ROUNDS` makes a longer run of it. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 4);
const USER = 'ada';
const AUTHOR = { name: 'Ada', email: 'ada@example.org' };

describe('the git server, killed in the middle of its work', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'caudex-git-kill-'));
  const repository = join(dataDir, 'git', 'repositories', USER, 'p.git');
  let server: ServerProcess;
  afterAll(async () => {
    await server.end('SIGKILL');
    rmSync(dataDir, { recursive: true });
  });

  const sent: { version: string; path: string; text: string }[] = [];
  const commit = ({ version, path, text }: (typeof sent)[number]) =>
    server.call('POST', '/projects/p/commits', USER, {
      ...{ version, path, text, author: AUTHOR, message: `Save ${path}`, committed_at: new Date().toISOString() },
    });

  it('has every version once, with its text, however often it died and was called again', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      server = await ServerProcess.start('git', { DATA_DIR: dataDir });
      // Like the outbox, sends again the changes that may have no answer.
      for (const change of sent.slice(-2)) expect((await commit(change)).status).toBe(200);
      const killing = new Promise<void>((resolve) =>
        setTimeout(() => void server.end('SIGKILL').then(resolve), 150 + 77 * round),
      );
      for (let n = 0, alive = true; alive; n++) {
        const change = { version: `v${round}-${n}`, path: `${n % 3}.md`, text: `text ${round} ${n}\n` };
        sent.push(change);
        alive = await commit(change).then(
          ({ status }) => status === 200,
          () => false,
        );
      }
      await killing;
      // A killed git leaves its lock; a running git has one, too.
      const lock = join(repository, 'refs/heads/main.lock');
      if (existsSync(repository) && !existsSync(lock)) writeFileSync(lock, '', { flag: 'a' });
    }
    server = await ServerProcess.start('git', { DATA_DIR: dataDir });
    for (const change of sent.slice(-2)) expect((await commit(change)).status).toBe(200);

    expect(sent.length).toBeGreaterThan(ROUNDS);
    const { body } = await server.call('GET', '/projects/p/history?limit=1000', USER);
    const known = (body['versions'] as { version: string }[]).map(({ version }) => version);
    expect(known.toSorted()).toEqual(sent.map(({ version }) => version).toSorted());
    const commits = execFileSync('git', ['rev-list', '--count', 'main'], { cwd: repository }).toString().trim();
    expect(Number(commits)).toBe(sent.length);
    for (const { version, path, text } of sent) {
      const answer = await server.call('GET', `/projects/p/text?path=${path}&version=${version}`, USER);
      expect(answer.body).toMatchObject({ text });
    }
    const { nodes } = (await server.call('GET', '/projects/p/graph?limit=5000', USER)).body as {
      nodes: { kind: string }[];
    };
    expect(nodes.filter(({ kind }) => kind === 'commit')).toHaveLength(sent.length);
  }, 60_000);

  it('has every version of a batch once, however often it died and got another part of what was open', async () => {
    const open: (typeof sent)[number][] = [];
    const accepted: string[] = [];
    const project = 'batches';
    const send = async (size: number) => {
      const part = open.slice(0, size);
      const changes = part.map((change) => ({
        ...{ ...change, author: AUTHOR, message: `Save ${change.path}`, committed_at: new Date().toISOString() },
      }));
      const { status } = await server.call('POST', `/projects/${project}/commits/batch`, USER, { changes });
      if (status !== 200) throw new Error(`the server answered ${status}`);
      accepted.push(...open.splice(0, part.length).map(({ version }) => version));
    };
    let n = 0;
    const fill = () => {
      for (; open.length < 40; n++) open.push({ version: `b${n}`, path: `${n % 200}.md`, text: `text ${n}\n` });
    };
    await server.end('SIGKILL');
    for (let round = 0; round < ROUNDS; round++) {
      server = await ServerProcess.start('git', { DATA_DIR: dataDir });
      const killing = new Promise<void>((resolve) =>
        setTimeout(() => void server.end('SIGKILL').then(resolve), 120 + 83 * round),
      );
      for (let call = round; ; call++) {
        fill();
        if (
          !(await send([40, 20, 7, 1][call % 4] as number).then(
            () => true,
            () => false,
          ))
        )
          break;
      }
      await killing;
    }
    server = await ServerProcess.start('git', { DATA_DIR: dataDir });
    while (open.length > 0) await send(9);
    expect(accepted).toHaveLength(n);
    const { body } = await server.call('GET', `/projects/${project}/history?limit=1`, USER);
    expect(body).toMatchObject({ total: n });
    const batches = join(dataDir, 'git', 'repositories', USER, `${project}.git`);
    expect(Number(execFileSync('git', ['rev-list', '--count', 'main'], { cwd: batches }).toString())).toBe(n);
  }, 60_000);
});
