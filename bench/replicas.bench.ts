// What a second replica adds: the same chats through one of each process, and through two of each. A
// machine with fewer processors than processes cannot show it by the clock, so it is calculated from the processor time
// that the processes need for a chat: where each replica has a processor of its own, two serve
// `2 · time of one / time of two` times as many. Ends with code 1 below the limit.
import { hasRedis, RealRedis } from '../src/backend/redis/testing/real-redis.ts';
import { hasPostgres } from '../src/storage/postgres/testing/postgres-server.ts';
import { TwoOfEverything } from '../test/replicas/two-of-everything.ts';
import { APPS, Caudex, type Person } from '../test/system/caudex.ts';
import { inParallel } from './api.ts';
import { processorTimes } from './process-time.ts';

const HAPROXY = process.env['HAPROXY'];
const ROUNDS = 5;
/**
 * For each backend, so that each replica has as much to do as the one alone. With more callers twice the processes compete for
 * the same processors, which costs time that is not theirs.
 */
const CHATS = 200;
const CALLERS = 2;
/** Processes that need less for a chat are not part of it. */
const MIN_MS = 0.05;
const LIMIT = 1.7;
const SETTINGS = { CAUDEX__BILLING__STARTING_CREDITS: '1000000', LOG_LEVEL: 'warn' };

/** A system with one or two of each process, and a person at each of its backends. */
interface System {
  name: string;
  caudexes: Caudex[];
  people: { person: Person; project: string }[];
  /** Processor time of a chat by app, in ms, in each round. */
  usedMs: Map<string, number[]>;
  perSecond: number[];
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

async function systemOf(name: string, caudexes: Caudex[]): Promise<System> {
  const people = await Promise.all(
    caudexes.map(async (caudex) => {
      const person = await caudex.signUp();
      const project = await person.project();
      await person.upload(
        project,
        'pears.md',
        '# Pears\n\nWilliams pears ripen in September. Store them cold and dark.\n',
      );
      return { person, project };
    }),
  );
  return { name, caudexes, people, usedMs: new Map(), perSecond: [] };
}

/** User and system time of all processes of each app until now, in ms. */
const usedOf = ({ caudexes }: System) =>
  APPS.map((app) => {
    const pids = caudexes.map((caudex) => caudex.pid(app)).filter((pid) => !Number.isNaN(pid));
    return processorTimes(pids).reduce((sum, { own, children }) => sum + own + children, 0);
  });

async function measure(system: System): Promise<void> {
  const before = usedOf(system);
  const beganMs = performance.now();
  const replicas = system.people.length;
  const chats = Array.from({ length: CHATS * replicas }, (_, n) => n);
  await inParallel(chats, CALLERS * replicas, async (n) => {
    const { person, project } = system.people[n % replicas] as System['people'][number];
    await person.post('/v1/api/chat', { message: `When do pears ripen, ${n}?`, project_id: project });
  });
  system.perSecond.push((chats.length * 1000) / (performance.now() - beganMs));
  usedOf(system).forEach((usedMs, i) => {
    const app = APPS[i] as string;
    system.usedMs.set(app, [...(system.usedMs.get(app) ?? []), (usedMs - (before[i] as number)) / chats.length]);
  });
}

if (HAPROXY === undefined || !hasPostgres() || !hasRedis()) {
  console.log('PostgreSQL, Redis or HAProxy (HAPROXY names it) is not installed: nothing was measured');
  process.exit(0);
}
const two = await TwoOfEverything.start(HAPROXY, SETTINGS);
const redis = await RealRedis.start();
const single = await Caudex.start({
  ...{ ...SETTINGS, DATABASE_URL: await two.postgres.newDatabase(), REDIS_URL: redis.url },
  CAUDEX__SESSION__FRESH_MS: '0',
});
let isReached = false;
try {
  const systems = [await systemOf('one', [single]), await systemOf('two', [two.a, two.b])];
  // The first round warms up and is not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const system of round % 2 === 0 ? systems : systems.toReversed()) await measure(system);
    if (round > 0) continue;
    for (const system of systems) {
      system.usedMs.clear();
      system.perSecond.length = 0;
    }
  }
  for (const { name, perSecond } of systems) {
    console.log(
      `${name} of each: ${median(perSecond).toFixed(0)} chats/s with ${CALLERS} callers at each backend, all on this machine`,
    );
  }
  const gains = two.replicas
    .filter(({ caudex }) => caudex === two.a)
    .map(({ app }) => {
      const [one, both] = systems.map(({ usedMs }) => median(usedMs.get(app) ?? [])) as [number, number];
      const gain = (2 * one) / both;
      if (one < MIN_MS) return { app, gain, both };
      console.log(
        `${app.padEnd(10)} ${one.toFixed(2)} ms of processor time for a chat alone, ${both.toFixed(2)} ms where there are two: two serve ${gain.toFixed(2)} × as many`,
      );
      return { app, gain, both };
    });
  // The process that needs most of the time is the one of which a cluster runs more.
  const busiest = gains.toSorted((a, b) => b.both - a.both)[0];
  isReached = busiest !== undefined && busiest.gain >= LIMIT;
  console.log(`${busiest?.app}, the busiest: ${busiest?.gain.toFixed(2)} × (limit ${LIMIT})`);
} finally {
  await Promise.all([single.stop(), two.stop()]);
  await redis.remove();
}
process.exit(isReached ? 0 : 1);
