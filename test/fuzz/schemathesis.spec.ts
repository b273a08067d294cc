import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Caudex, type Person, until } from '../system/caudex.js';

/** Where schemathesis is; .ci/run installs it when there is Python. */
const SCHEMATHESIS = process.env['SCHEMATHESIS'];
const SECONDS = Number(process.env['CAUDEX_FUZZ_SECONDS'] ?? '120');
const SEED = process.env['CAUDEX_SEED'] ?? '20250807';
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'missing_required_header',
  'ignored_auth',
];

const whereInstalled = SCHEMATHESIS === undefined ? describe.skip : describe;

whereInstalled(`the OpenAPI document, fuzzed for ${SECONDS} s (CAUDEX_FUZZ_SECONDS)`, () => {
  let caudex: Caudex;
  let person: Person;
  let project: string;

  beforeAll(async () => {
    caudex = await Caudex.start();
    person = await caudex.signUp();
    project = await person.project();
    await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen first.');
    await until('the document is indexed', async () => (await person.search(project, 'pears')).source === 'hybrid');
  }, 60_000);
  afterAll(() => caudex.stop());

  it(
    'is kept by every answer, and no answer is a 5xx',
    async () => {
      // It leaves its notes where it is started.
      const folder = await mkdtemp(join(tmpdir(), 'caudex-fuzz-'));
      const child = spawn(
        SCHEMATHESIS as string,
        [
          ...['run', `${caudex.url}/v1/api/openapi.json`],
          ...['--seed', SEED, '--max-time', String(SECONDS), '--workers', '2', '--continue-on-failure'],
          ...['--checks', CHECKS.join(','), '--header', `Authorization: Bearer ${person.token}`],
          ...['--suppress-health-check', 'all', '--generation-database', 'none'],
          // Signing out would end the run's own session.
          ...['--exclude-path', '/v1/api/auth/logout', '--exclude-path', '/v1/api/status/stream'],
        ],
        { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } },
      );
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
      const [code] = (await once(child, 'exit')) as [number];
      await rm(folder, { recursive: true, force: true });
      // Its own generator may break down (its report then has errors and no failures): that says nothing of us.
      const findings = /= FAILURES =|Server Unavailable/.test(output);
      if (code !== 0 && !findings) console.warn(`schemathesis itself broke down with ${code}`);
      if (findings) {
        throw new Error(`schemathesis ended with ${code}:\n${output}\n${caudex.output.join('').slice(-5000)}`);
      }
      console.log(output.slice(-2000));
      // Whatever was done to it (the project it was given may be deleted), it still takes documents and finds them.
      const after = await person.project('After');
      await person.upload(after, 'figs.md', '# Figs\n\nFigs like the sun.');
      const found = await until(
        'the new document is found',
        async () => (await person.search(after, 'figs')).results[0],
      );
      expect(found.document).toBe('figs.md');
    },
    (SECONDS + 300) * 1000,
  );
});
