import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configDir, loadConfig } from './config.loader.js';
import { ConfigReloader } from './config.reloader.js';
import type { Config } from './config.schema.js';

describe('ConfigReloader', () => {
  const dir = mkdtempSync(join(tmpdir(), 'caudex-config-'));
  const lines: string[] = [];
  const keep = (_: unknown, line: string) => void lines.push(line);
  const log = { info: keep, warn: keep, error: keep } as unknown as ConstructorParameters<typeof ConfigReloader>[1];
  const load = () => loadConfig({ NODE_ENV: 'test' }, dir);
  const write = (yaml: string) => writeFileSync(join(dir, 'test.yaml'), yaml);
  let reloader: ConfigReloader;
  let taken: Config[];

  const until = async (done: () => boolean) => {
    for (let i = 0; i < 200 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(done()).toBe(true);
  };

  beforeAll(() => cpSync(configDir({}), dir, { recursive: true }));
  beforeEach(() => {
    write('');
    lines.length = 0;
    taken = [];
    reloader = new ConfigReloader(load(), log, dir, load);
    reloader.onReload((config) => taken.push(config));
    reloader.onApplicationBootstrap();
  });
  afterEach(() => reloader.onModuleDestroy());
  afterAll(() => rmSync(dir, { recursive: true }));

  it('applies a changed file', async () => {
    write('downstream: { chroma: { failure_threshold: 7 } }');
    await until(() => taken.length === 1);
    expect(taken[0]?.downstream.chroma.failure_threshold).toBe(7);
    expect(lines).toEqual(['Configuration changed: downstream.chroma.failure_threshold, taken over']);
  });

  it('refuses an invalid file with every reason, and continues to watch it', async () => {
    write('downstream: { chroma: { failure_threshold: 0, timeout_ms: 99000, breaker: { kind: round } } }\n');
    await until(() => lines.length >= 2);
    expect(taken).toEqual([]);
    expect(lines.join('\n')).toMatch(/downstream\.chroma\.failure_threshold: 0 is too small/);
    expect(lines.join('\n')).toMatch(/downstream\.chroma\.breaker\.kind: "round" is refused/);
    write('downstream: { chroma: { timeout_ms: 1000 } }');
    await until(() => taken.length === 1);
  });

  it('reloads on SIGHUP and names the settings that need a restart', () => {
    reloader.onModuleDestroy();
    reloader = new ConfigReloader(load(), log, dir, load);
    reloader.onReload((config) => taken.push(config));
    reloader.onApplicationBootstrap();
    write('search: { default_limit: 5 }');
    process.emit('SIGHUP');
    expect(lines).toEqual(['Configuration changed: search.default_limit, takes effect at the next start']);
    expect(taken).toHaveLength(1);
  });
});
