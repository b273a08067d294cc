import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SEED = process.env['CAUDEX_SEED'] ?? '20250807';
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'missing_required_header',
  'ignored_auth',
  'unsupported_method',
  'allow_header_conformance',
];

export interface Fuzz {
  /** Of Caudex. */
  url: string;
  token: string;
  seconds: number;
  /** Left out of its checks. */
  without?: readonly string[];
  /** Statuses that count as a 5xx otherwise: `503`. */
  expected?: readonly string[];
  /** The operations, as options of its command line. */
  operations: readonly string[];
  /** Existing values by parameter: `path.project_id`, `body.model`. */
  known?: Readonly<Record<string, readonly string[]>>;
  /** Additional configuration, in TOML. */
  settings?: string;
}

/**
 * Runs schemathesis and returns its own summary in short.
 * @throws Error with its whole output, where it found a failure or ran no case
 */
export async function fuzz(program: string, run: Fuzz): Promise<string> {
  // It reads its configuration from the working directory and writes its reports there.
  const folder = await mkdtemp(join(tmpdir(), 'caudex-fuzz-'));
  await writeFile(join(folder, 'schemathesis.toml'), configured(run));
  const child = spawn(
    program,
    [
      ...['run', `${run.url}/v1/api/openapi.json`, '--header', `Authorization: Bearer ${run.token}`],
      ...['--seed', SEED, '--max-time', String(run.seconds), '--continue-on-failure'],
      // Two workers break its generator on Python 3.11, and broken cases are not run.
      ...['--workers', '1', '--suppress-health-check', 'all', '--generation-database', 'none'],
      ...run.operations,
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const [code] = (await once(child, 'exit')) as [number];
  await rm(folder, { recursive: true, force: true });
  // Its last line looks like the summary of this test run.
  output = output.replace(/^=+ .* in [\d.]+s =+$/gm, '');
  if (/= FAILURES =|Server Unavailable/.test(output) || !/Tested: +\d/.test(output))
    throw new Error(`schemathesis ended with ${code}:\n${output}`);
  // Its generator may fail by itself (its report then has errors and no failures), which is not a finding.
  return `${code === 0 ? '' : `schemathesis itself broke down with ${code}:\n${output}\n`}${summary(output)}`;
}

function configured({ known = {}, settings = '', without = [], expected = [] }: Fuzz): string {
  const names = Object.keys(known);
  return [
    // A check named on the command line could not be switched off for one operation.
    '[checks]\nenabled = false',
    ...CHECKS.filter((check) => !without.includes(check)).map((check) => `${check}.enabled = true`),
    `not_a_server_error.expected-statuses = ${JSON.stringify(['2xx', '3xx', '4xx', ...expected])}`,
    '[dictionaries]',
    ...names.map((name) => `${dictionary(name)} = { values = ${JSON.stringify(known[name])} }`),
    '[parameters]',
    ...names.map((name) => `${JSON.stringify(name)} = { dictionary = "${dictionary(name)}", probability = 0.8 }`),
    // The stream has no end, and after its first event there is none until a breaker changes.
    '[[operations]]\ninclude-path = "/v1/api/status/stream"\nmax-stream-events = 1',
    // An original has the media type of its upload, which is documented as application/octet-stream.
    '[[operations]]\ninclude-name = "GET /v1/api/projects/{project_id}/documents/{path}"\nchecks.content_type_conformance.enabled = false',
    settings,
  ].join('\n');
}

const dictionary = (name: string) => name.replaceAll(/\W/g, '-');

/** The numbers of operations and cases, and its warnings. */
function summary(output: string): string {
  const end = output.slice(output.indexOf('= SUMMARY ='));
  return end
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^(Selected|Tested|Errored):|^\d+ generated|^⚠️/.test(line))
    .join('; ');
}
