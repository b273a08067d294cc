import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { git } from './git-command.js';

const SERVER = join(import.meta.dirname, '..');

describe('git', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'caudex-git-'));
    execFileSync('git', ['init', '--quiet', '--bare', dir]);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it.each([
    ['an option', '--output=/tmp/written'],
    ['a short option', '-p'],
    ['a range', `${'a'.repeat(40)}..${'b'.repeat(40)}`],
    ['a short hash', 'abc123'],
    ['a hash with a NUL behind it', `${'a'.repeat(40)}\0--output=x`],
    ['a line end', `${'a'.repeat(40)}\n--output=x`],
    ['a reflog entry', '@{-1}'],
    ['nothing', ''],
  ])('rejects %s as a revision without starting anything', async (_, revision) => {
    await expect(git(dir, ['show'], { revisions: [revision] })).rejects.toThrow('is no revision');
  });

  it('takes an option behind -- for a path', async () => {
    const hashed = await git(dir, ['hash-object', '-w', '--stdin'], { input: 'text' });
    const blob = hashed.toString().trim();
    expect((await git(dir, ['cat-file', 'blob'], { revisions: [blob] })).toString()).toBe('text');
    await expect(git(dir, ['log'], { revisions: ['HEAD'], operands: ['--output=x'] })).rejects.toThrow(/HEAD/);
    expect(readdirSync(dir)).not.toContain('x');
  });

  it('answers 422 to what takes too long', async () => {
    // cat-file waits for its input, which does not end before the time is up.
    const endless = git(dir, ['fast-import'], { input: 'data 10\nx', timeoutMs: 1 });
    await expect(endless).rejects.toMatchObject({ problem: { status: 422, code: 'too_much_for_git' } });
  });
});

/** Every TypeScript file of the server that is no test. */
const files = readdirSync(SERVER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
  .map((name) => ts.createSourceFile(name, readFileSync(join(SERVER, name), 'utf8'), ts.ScriptTarget.Latest, true));

it('gets nothing but constants as its arguments, wherever it is called', () => {
  const calls = files.flatMap((file) => {
    const found: { args: ts.Expression; file: ts.SourceFile }[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && node.expression.getText() === 'git' && node.arguments[1] !== undefined) {
        found.push({ args: node.arguments[1], file });
      }
      node.forEachChild(visit);
    };
    visit(file);
    return found;
  });
  expect(calls.length).toBeGreaterThan(10);
  const unguarded = calls.filter(({ args, file }) => !isConstant(args, file)).map(({ args }) => args.getText());
  expect(unguarded).toEqual([]);
});

it('is the only one to start a git', () => {
  const starters = files.filter((file) => /from 'node:child_process'/.test(file.text)).map(({ fileName }) => fileName);
  expect(starters).toEqual([join('versions', 'git-command.ts')]);
});

/** Whether an expression is made of literals and of constants of its file alone. */
function isConstant(node: ts.Expression, file: ts.SourceFile): boolean {
  if (ts.isStringLiteralLike(node)) return true;
  if (ts.isArrayLiteralExpression(node)) return node.elements.every((element) => isConstant(element, file));
  if (ts.isSpreadElement(node)) return isConstant(node.expression, file);
  if (ts.isTemplateExpression(node)) return node.templateSpans.every(({ expression }) => isConstant(expression, file));
  if (!ts.isIdentifier(node)) return false;
  let constant = false;
  const visit = (one: ts.Node): void => {
    const names = ts.isVariableDeclaration(one) && one.name.getText() === node.text;
    if (names && one.initializer !== undefined) constant = isConstant(one.initializer, file);
    one.forEachChild(visit);
  };
  visit(file);
  return constant;
}
