import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Caudex, until } from '../system/caudex.js';
import { Bystander } from './bystander.js';
import { type Poison, type Stage, Stranger } from './poison.js';

/** The time for which each input is sent repeatedly. */
const SECONDS = Number(process.env['CAUDEX_BYSTANDER_S'] ?? 2);
/**
 * How late the bystander's slowest answer of a hundred may be. Without it, as in `npm test`, times are not looked at: they are
 * the machine's, too, and whatever else runs there.
 */
const P99_MS =
  process.env['CAUDEX_BYSTANDER_P99_MS'] === undefined ? undefined : Number(process.env['CAUDEX_BYSTANDER_P99_MS']);
const PAGE = join(import.meta.dirname, '../../docs/faults.md');
const FOLDER = join(import.meta.dirname, 'poison');

const library: Poison[] = [];
for (const file of readdirSync(FOLDER).sort()) {
  library.push(((await import(join(FOLDER, file))) as { poison: Poison }).poison);
}

describe('a bystander', () => {
  let caudex: Caudex;
  let bystander: Bystander;
  let stage: Stage;
  let repositories: string;

  beforeAll(async () => {
    repositories = mkdtempSync(join(tmpdir(), 'caudex-poison-'));
    caudex = await Caudex.start({
      CAUDEX__GIT__IMPORT_ALLOWED: JSON.stringify([repositories]),
      CAUDEX__BILLING__STARTING_CREDITS: '1000000',
      // The stranger comes from an address of their own.
      CAUDEX__HTTP__TRUSTED_PROXIES: '[127.0.0.1]',
      // With a time limit, the limits of production apply.
      ...(P99_MS !== undefined && { CAUDEX__SHEDDING__MAX_EVENT_LOOP_DELAY_MS: '1000' }),
    });
    const person = await caudex.signUp();
    const project = await person.project();
    await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen first, in September.');
    await until('it is indexed', async () => (await person.search(project, 'pears')).source === 'hybrid');
    bystander = new Bystander(caudex, person, project);
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    rmSync(repositories, { recursive: true, force: true });
  });
  beforeEach(async () => {
    const attacker = await caudex.signUp();
    stage = {
      caudex,
      attacker,
      project: await attacker.project(),
      stranger: new Stranger(caudex.url, ''),
      repositories,
    };
  });

  it.each(library.map((poison) => [poison.name, poison] as const))(
    'does not notice that %s',
    async (_, poison) => {
      poison.prepare?.(stage);
      const logged = caudex.output.length;
      const seen = bystander.watch();
      const endMs = performance.now() + SECONDS * 1000;
      do await Promise.race([poison.send(stage), new Promise((resolve) => setTimeout(resolve, SECONDS * 1000))]);
      while (performance.now() < endMs);
      const { troubles, requests, p99Ms } = await seen.end();
      const opened = caudex.output
        .slice(logged)
        .join('')
        .split('\n')
        .filter((line) => line.includes('Circuit breaker OPEN ('));
      const noticed = P99_MS === undefined ? troubles.filter(({ late }) => !late) : troubles;
      expect({ noticed, opened }).toEqual({ noticed: [], opened: [] });
      expect(requests).toBeGreaterThan(2 * SECONDS);
      expect(p99Ms).toBeLessThan(P99_MS ?? Infinity);
    },
    (2 * SECONDS + 60) * 1000,
  );

  it('is described in docs/faults.md, with every poison of the library', () => {
    const section = render(library);
    const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
    const [before = ''] = page.split(HEADING);
    if (process.env['CAUDEX_WRITE_DOCS'] === '1') writeFileSync(PAGE, before + section);
    expect(readFileSync(PAGE, 'utf8').slice(before.length)).toBe(section);
  });
});

const HEADING = "\n# The effect of one user's requests on other users\n";

function render(poisons: readonly Poison[]): string {
  const width = (column: 'name' | 'against') => Math.max(...poisons.map((poison) => poison[column].length));
  const [name, against] = [width('name'), width('against')];
  const row = (left: string, right: string) => `| ${left.padEnd(name)} | ${right.padEnd(against)} |`;
  return [
    HEADING,
    '`npm run test:bystander` sends each of these to six real processes, repeatedly, while another user searches, chats,',
    'uploads and asks for history twice a second. All answers to that user are 2xx, without degradation, and within the time',
    'limit; no breaker leaves `closed`. Each input is a file in `test/bystander/poison/`.',
    '',
    row('what is sent', 'the fault without a guard'),
    `| ${'-'.repeat(name)} | ${'-'.repeat(against)} |`,
    ...poisons.map((poison) => row(poison.name, poison.against)),
    '',
  ].join('\n');
}
