// What generators make of the OpenAPI document, without a warning, at work.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ANSWER, assert, QUESTION, url } from './given.mjs';

const folder = mkdtempSync(join(tmpdir(), 'caudex-generated-'));
symlinkSync(join(import.meta.dirname, 'node_modules'), join(folder, 'node_modules'));
writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}');
const document = await (await fetch(`${url}/v1/api/openapi.json`)).json();
writeFileSync(join(folder, 'openapi.json'), JSON.stringify(document));

/** @returns what the command says, without colours */
function run(command, ...args) {
  const bin = join(import.meta.dirname, 'node_modules/.bin', command);
  const said = execFileSync(process.execPath, [bin, ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  assert.doesNotMatch(said, /warn/i, `${command} warns`);
}
run('openapi-ts', '-i', 'openapi.json', '-o', 'hey');
run('orval', '--input', 'openapi.json', '--output', 'orval/caudex.ts', '--client', 'fetch');
run('openapi-typescript', 'openapi.json', '-o', 'types.d.ts');
writeFileSync(
  join(folder, 'typed.ts'),
  `import createClient from 'openapi-fetch';
import type { paths } from './types';
export async function ask(baseUrl: string, token: string, project_id: string): Promise<string> {
  const client = createClient<paths>({ baseUrl, headers: { authorization: 'Bearer ' + token } });
  const search = await client.POST('/v1/api/search', { body: { project_id, query: 'pears' } as never });
  const first = search.data?.results[0]?.document ?? '';
  return first;
}
`,
);
const options = [
  '--module',
  'commonjs',
  '--moduleResolution',
  'node10',
  '--target',
  'es2022',
  '--lib',
  'es2023,dom,dom.iterable',
];
run(
  'tsc',
  ...options,
  '--strict',
  '--skipLibCheck',
  '--ignoreDeprecations',
  '5.0',
  '--outDir',
  'out',
  'hey/index.ts',
  'hey/client.gen.ts',
  'orval/caudex.ts',
  'typed.ts',
);

const required = createRequire(join(folder, 'out/'));
const hey = required('./hey/sdk.gen.js');
const { client } = required('./hey/client.gen.js');
client.setConfig({ baseUrl: url });
const person = { email: `js${Date.now()}@example.org`, password: 'correct horse battery' };
await hey.sessionControllerRegister({ body: person, throwOnError: true });
const { token } = (await hey.sessionControllerLogin({ body: person, throwOnError: true })).data;
client.setConfig({ baseUrl: url, auth: () => token });
const created = await hey.projectsControllerCreate({ body: { name: 'From JavaScript' }, throwOnError: true });
const { project_id } = created.data;
const path = { project_id, path: 'pears.md' };
const file = new Blob(['# Pears\n\nPears ripen in September.']);
const stored = await hey.documentsControllerPut({ path, body: file, throwOnError: true });
assert.equal(stored.response.status, 201);
const found = await hey.searchControllerPost({ body: { project_id, query: 'pears' }, throwOnError: true });
assert.equal(found.data.results[0].document, 'pears.md');
const chat = await hey.chatControllerPost({ body: { message: QUESTION, project_id }, throwOnError: true });
assert.equal(chat.data.response, ANSWER);
const { stream } = await hey.chatControllerResume({ path: { message_id: chat.data.message_id } });
let text = '';
for await (const event of stream) {
  if (event === '[DONE]') break;
  if (event.type === 'text-delta') text += event.delta;
}
assert.equal(text, ANSWER);

const orval = required('./orval/caudex.js');
assert.match(orval.getProjectsControllerListUrl(), /^\/v1\/api\/projects/);
const { ask } = required('./typed.js');
assert.equal(await ask(url, token, project_id), 'pears.md');
const plums = new File(['# Plums\n\nPlums ripen in July.'], 'plums.md');
const bulk = await hey.bulkControllerStore({ path: { project_id }, body: { files: [plums] }, throwOnError: true });
assert.equal(bulk.data.stored, 1);
