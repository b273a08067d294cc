import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Caudex, type Person, until } from '../system/caudex.js';
import { type Fuzz, fuzz } from './schemathesis.js';

/** Where schemathesis is; .ci/run installs it when there is Python. */
const SCHEMATHESIS = process.env['SCHEMATHESIS'];
const SECONDS = Number(process.env['CAUDEX_FUZZ_SECONDS'] ?? '120');
const FEW_SECONDS = Math.max(6, Math.ceil(SECONDS / 10));
const OPERATOR = 'operator@example.org';
const SLACK_MS = 300_000;

const whereInstalled = SCHEMATHESIS === undefined ? describe.skip : describe;

whereInstalled(`the OpenAPI document, fuzzed for ${SECONDS} s (CAUDEX_FUZZ_SECONDS)`, () => {
  let repository: string;
  let caudex: Caudex;
  let person: Person;
  let forgiving: NodeJS.Timeout;

  beforeAll(async () => {
    repository = mkdtempSync(join(tmpdir(), 'caudex-fuzzed-'));
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', ...args], { cwd: repository });
    writeFileSync(join(repository, 'figs.md'), '# Figs\n\nFigs like the sun.');
    git('init', '-q', '-b', 'main');
    git('add', '-A');
    git('commit', '-q', '-m', 'Write of figs');
    caudex = await Caudex.start({
      CAUDEX__AUTH__OPERATORS: JSON.stringify([OPERATOR]),
      CAUDEX__BILLING__STARTING_CREDITS: '1000000',
      CAUDEX__GIT__IMPORT_ALLOWED: JSON.stringify([repository]),
    });
    person = await caudex.signUp('fuzzed@example.org');
    // Wrong passwords slow down every sign-in from the same address, so the code after that limit would not be reached.
    const accounts = new DatabaseSync(join(caudex.dataDir, 'auth', 'accounts.sqlite'), { timeout: 1000 });
    forgiving = setInterval(() => accounts.exec('DELETE FROM guesses'), 100);
  }, 60_000);
  afterAll(async () => {
    clearInterval(forgiving);
    await caudex.stop();
    rmSync(repository, { recursive: true });
  });

  async function isKept(run: Pick<Fuzz, 'token' | 'seconds' | 'operations'> & Partial<Fuzz>): Promise<void> {
    const said = await fuzz(SCHEMATHESIS as string, { url: caudex.url, ...run }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${caudex.output.join('').slice(-5000)}`);
    });
    console.log(said);
  }

  /** After each run (which may have deleted its project), the system still stores and finds documents. */
  afterEach(async () => {
    const project = await person.project('After');
    await person.upload(project, 'figs.md', '# Figs\n\nFigs like the sun.');
    const found = await until(
      'the new document is found',
      async () => (await person.search(project, 'figs')).results[0],
    );
    expect(found.document).toBe('figs.md');
  }, 30_000);

  it(
    'is kept by every answer, and no answer is a 5xx',
    async () => {
      const { token } = person;
      // Signing out would end the run's own session.
      const operations = ['--exclude-path', '/v1/api/auth/logout'];
      await isKept({ token, seconds: SECONDS, operations, known: await whatIsThere(), settings: await doomed() });
    },
    SECONDS * 1000 + SLACK_MS,
  );

  it(
    'is kept by signing out',
    async () => {
      const { token } = await caudex.signUp();
      const operations = ['--include-path', '/v1/api/auth/logout'];
      // These requests may revoke the token.
      await isKept({ token, seconds: FEW_SECONDS, operations, without: ['ignored_auth'] });
    },
    FEW_SECONDS * 1000 + SLACK_MS,
  );

  it(
    'is kept towards operators',
    async () => {
      const operator = await caudex.signUp(OPERATOR);
      const operations = ['--include-path-regex', '^/v1/api/status/'];
      // The requests may isolate auth, after which an invalid token correctly gets 503.
      const without = ['ignored_auth'];
      await isKept({ token: operator.token, seconds: FEW_SECONDS, operations, expected: ['503'], without });
      const { services } = await operator.get<{ services: object }>('/v1/api/status/services');
      for (const name of Object.keys(services)) await operator.post(`/v1/api/status/services/${name}/release`, {});
    },
    FEW_SECONDS * 1000 + SLACK_MS,
  );

  /** Creates one object of each kind, so that requests reach more than 404. */
  async function whatIsThere(): Promise<NonNullable<Fuzz['known']>> {
    const project = await person.project();
    const { path, version } = await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen first.');
    await until('the document is indexed', async () => (await person.search(project, 'pears')).source === 'hybrid');
    const { conversation_id, message_id } = await person.chat(project, 'Which pears ripen first?');
    const { import_id } = await person.post<{ import_id: string }>(
      `/v1/api/projects/${project}/import`,
      { source: repository },
      202,
    );
    const all = (places: readonly string[], values: string[]) => places.map((place) => [place, values] as const);
    return Object.fromEntries([
      ...all(['path.project_id', 'query.project_id', 'body.project_id'], [project]),
      ...all(['path.path', 'query.path', 'body.path'], [path]),
      ...all(['query.version', 'query.from', 'query.to', 'body.version'], [version]),
      ...all(['path.conversation_id', 'query.conversation_id', 'body.conversation_id'], [conversation_id]),
      ...all(['path.message_id'], [message_id]),
      ...all(['path.import_id'], [import_id]),
      ...all(['body.source'], [repository]),
      ...all(['body.model'], ['caudex', `caudex:${project}`]),
      ...all(['body.email'], ['fuzzed@example.org']),
      ...all(['body.password'], ['correct horse battery']),
    ]);
  }

  /** A project to delete, so that the project for the other requests stays. */
  async function doomed(): Promise<string> {
    return [
      '[[operations]]',
      'include-name = "DELETE /v1/api/projects/{project_id}"',
      `parameters = { "path.project_id" = ${JSON.stringify(await person.project('Doomed'))} }`,
      // A document may be called "delete" as well, so that `Allow` names the methods of documents too.
      '[[operations]]',
      'include-path-regex = "/documents/(delete|move|restore|tags)$"',
      'checks = { allow_header_conformance = { enabled = false } }',
    ].join('\n');
  }
});
