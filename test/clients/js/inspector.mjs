// The official inspector of MCP, on its command line.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ANSWER, assert, project, QUESTION, token, url } from './given.mjs';

function inspect(...args) {
  const bin = join(import.meta.dirname, 'node_modules/.bin/mcp-inspector');
  const server = ['--cli', `${url}/mcp`, '--transport', 'http', '--header', `Authorization: Bearer ${token}`];
  return JSON.parse(execFileSync(process.execPath, [bin, ...server, '--method', ...args], { encoding: 'utf8' }));
}
const call = (name, ...args) => {
  const pairs = args.flatMap((pair) => ['--tool-arg', pair]);
  return inspect('tools/call', '--tool-name', name, '--tool-arg', `project_id=${project}`, ...pairs);
};

// It ends with an error where a schema of a tool is not portable between clients.
const { tools } = inspect('tools/list', '--strict');
const names = ['ask', 'document_history', 'list_documents', 'list_projects', 'read_document', 'search'];
assert.deepEqual(tools.map(({ name }) => name).sort(), names);
assert.equal(call('search', 'query=pears').structuredContent.results[0].document, 'pears.md');
assert.equal(call('ask', `question=${QUESTION}`).structuredContent.answer, ANSWER);
const [{ uri }] = inspect('resources/list').resources;
assert.match(inspect('resources/read', '--uri', uri).contents[0].text, /September/);
assert.equal(inspect('resources/templates/list').resourceTemplates.length, 1);
assert.throws(() =>
  inspect('tools/call', '--tool-name', 'search', '--tool-arg', 'project_id=none', '--tool-arg', 'query=x'),
);
