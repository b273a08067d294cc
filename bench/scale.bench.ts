// A chat's own work with the stores in PostgreSQL beside the same in SQLite: two whole systems at the same time, asked in
// turn, without a model, each commit waiting for the disk. Ends with code 1 above the limit.
import { Caudex, type Person } from '../test/system/caudex.ts';
import { hasPostgres, PostgresServer } from '../src/storage/postgres/testing/postgres-server.ts';
import { inParallel } from './api.ts';

const ROUNDS = 7;
const CHATS = 40;
const CALLERS = 8;
const LIMIT = 1.5;
const SETTINGS = { CAUDEX__BILLING__STARTING_CREDITS: '1000000', LOG_LEVEL: 'warn' };

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

interface Measured {
  person: Person;
  project: string;
  /** Milliseconds of each chat that was alone. */
  aloneMs: number[];
  /** Chats per second of several callers. */
  rates: number[];
}

async function begin(caudex: Caudex): Promise<Measured> {
  const person = await caudex.signUp();
  const project = await person.project();
  await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen in September. Store them cold and dark.\n');
  return { person, project, aloneMs: [], rates: [] };
}

const ask = ({ person, project }: Measured) =>
  person.post('/v1/api/chat', { message: 'When do pears ripen?', project_id: project });

async function measure(measured: Measured): Promise<void> {
  for (let n = 0; n < CHATS; n++) {
    const beganMs = performance.now();
    await ask(measured);
    measured.aloneMs.push(performance.now() - beganMs);
  }
  const beganMs = performance.now();
  await inParallel(Array.from({ length: 2 * CHATS }), CALLERS, async () => void (await ask(measured)));
  measured.rates.push((2 * CHATS * 1000) / (performance.now() - beganMs));
}

if (!hasPostgres()) {
  console.log('PostgreSQL is not installed: nothing was measured');
  process.exit(0);
}
const server = await PostgresServer.start({ durable: true });
const url = await server.newDatabase();
const systems = [
  await Caudex.start(SETTINGS, { quick: false }),
  await Caudex.start({ ...SETTINGS, DATABASE_URL: url }, { quick: false }),
];
let ratio = NaN;
try {
  const [sqlite, postgres] = (await Promise.all(systems.map(begin))) as [Measured, Measured];
  // The first round warms up and is not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const one of round % 2 === 0 ? [sqlite, postgres] : [postgres, sqlite]) await measure(one);
    if (round === 0) for (const one of [sqlite, postgres]) one.aloneMs.length = one.rates.length = 0;
  }
  const [before, after] = [median(sqlite.aloneMs), median(postgres.aloneMs)];
  ratio = after / before;
  console.log(
    `one chat, median:     SQLite ${before.toFixed(1)} ms, PostgreSQL ${after.toFixed(1)} ms, ratio ${ratio.toFixed(2)} (limit ${LIMIT})`,
  );
  const [slow, fast] = [median(postgres.rates), median(sqlite.rates)];
  console.log(
    `${CALLERS} callers, median: SQLite ${fast.toFixed(0)}/s, PostgreSQL ${slow.toFixed(0)}/s, ratio ${(fast / slow).toFixed(2)}`,
  );
} finally {
  await Promise.all(systems.map((system) => system.stop()));
  await server.stop();
}
process.exit(ratio <= LIMIT ? 0 : 1);
