import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { JSON_TYPE, type Poison } from '../poison.js';

let made = 0;

/** Twelve commits whose author names hold a former field separator of git's output, followed by an option. */
function forge(root: string): string {
  const dir = join(root, `forged${++made}`);
  mkdirSync(dir);
  const run = (args: string[], input = '') =>
    execFileSync('git', args, { cwd: dir, input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] }).trim();
  run(['init', '-q', '-b', 'main']);
  let parent = '';
  for (let i = 0; i < 12; i++) {
    writeFileSync(join(dir, `f${i}.md`), `text ${i}`);
    run(['add', '.']);
    const who = `x\x02--output=${join(root, 'written')} <e@e> 170000000${i % 10} +0000`;
    const object = `tree ${run(['write-tree'])}\n${parent}author ${who}\ncommitter ${who}\n\n\x03`;
    const commit = run(['hash-object', '-t', 'commit', '-w', '--stdin'], object);
    parent = `parent ${commit}\n`;
    run(['update-ref', 'refs/heads/main', commit]);
  }
  return dir;
}

let source = '';

export const poison: Poison = {
  name: 'a user imports a repository with forged commits, and asks for what they changed',
  against: 'text from outside in a command line; one bad change blocking the graph of everybody',
  prepare: ({ repositories }) => void (source = forge(repositories)),
  send: async ({ attacker, project }) => {
    const at = `/v1/api/projects/${project}/import`;
    const begun = await attacker.request('POST', at, JSON.stringify({ source }), JSON_TYPE);
    const { import_id } = (await begun.json()) as { import_id?: string };
    for (let i = 0; i < 50; i++) {
      const { state } = (await (await attacker.request('GET', `${at}/${import_id}`)).json()) as { state?: string };
      if (state !== 'running' && state !== 'waiting') break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await attacker.chat(project, 'what was changed since 2020-01-01?');
  },
};
