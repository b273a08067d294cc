// How much people notice of an overload: searches and chats of a few people alone, and while programs send as many
// requests at a time as ten times the programs that use all of the system. A model is not asked, so that all of the time is our own. Ends with code 1 above a limit.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { Caudex, type Person, until } from '../test/system/caudex.ts';
import { percentile } from './api.ts';

const PEOPLE = 4;
/** A person asks this long after the last answer. */
const PAUSE_MS = 250;
const SECONDS = 12;
const PROGRAMS = 8;
const OVERLOAD = 10;
const REFUSED_PAUSE_MS = 100;
const DOCUMENTS = 25;
const MIN_SERVED = 0.99;
const MAX_SLOWER = 3;

interface Flood {
  url: string;
  tokens: string[];
  models: string[];
  /** Each asks again at once when it has an answer. */
  callers: number;
  seconds: number;
}

interface Flooded {
  answered: number;
  refused: number;
  failed: number;
}

/** In a thread of its own, so that the people's times are not those of this load. */
async function flood({ url, tokens, models, callers, seconds }: Flood): Promise<Flooded> {
  const counts: Flooded = { answered: 0, refused: 0, failed: 0 };
  const send = async (index: number) => {
    const program = index % tokens.length;
    const body = { model: models[program], messages: [{ role: 'user', content: `When do pears ripen, ${index}?` }] };
    try {
      const answer = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${tokens[program]}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      await answer.arrayBuffer();
      counts[answer.ok ? 'answered' : [429, 503].includes(answer.status) ? 'refused' : 'failed']++;
      return answer.ok;
    } catch {
      counts.failed++;
      return false;
    }
  };
  const endMs = performance.now() + seconds * 1000;
  let sent = 0;
  const caller = async () => {
    while (performance.now() < endMs) if (!(await send(sent++))) await sleep(REFUSED_PAUSE_MS);
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return counts;
}

async function runFlood(data: Flood): Promise<Flooded> {
  const worker = new Worker(new URL(import.meta.url), { workerData: data, execArgv: process.execArgv });
  const [counts] = (await once(worker, 'message')) as [Flooded];
  return counts;
}

interface Asked {
  times: number[];
  failed: number;
}

async function ask(person: Person, project: string, seconds: number, asked: Asked): Promise<void> {
  const endMs = performance.now() + seconds * 1000;
  for (let n = 0; performance.now() < endMs; n++) {
    const [path, body] =
      n % 2 === 0
        ? ['/v1/api/search', { query: `pears of orchard ${n % DOCUMENTS}`, project_id: project }]
        : ['/v1/api/chat', { message: `When do the pears of orchard ${n % DOCUMENTS} ripen?`, project_id: project }];
    const beganMs = performance.now();
    const answer = await person.request('POST', path, JSON.stringify(body), {
      'content-type': 'application/json',
    });
    await answer.arrayBuffer();
    if (answer.ok) asked.times.push(performance.now() - beganMs);
    else asked.failed++;
    await sleep(PAUSE_MS);
  }
}

async function newcomer(caudex: Caudex): Promise<{ person: Person; project: string }> {
  const person = await caudex.signUp();
  const project = await person.project();
  for (let n = 0; n < DOCUMENTS; n++) {
    await person.upload(
      project,
      `orchard-${n}.md`,
      `# Orchard ${n}\n\nThe pears of orchard ${n} ripen in week ${n}.\n`,
    );
  }
  await until('all is indexed', async () => (await person.search(project, 'pears')).source === 'hybrid', 60_000);
  return { person, project };
}

async function measure(): Promise<boolean> {
  const caudex = await Caudex.start(
    { CAUDEX__BILLING__STARTING_CREDITS: '100000000', LOG_LEVEL: 'error' },
    { quick: false },
  );
  try {
    const people: Awaited<ReturnType<typeof newcomer>>[] = [];
    for (let i = 0; i < PEOPLE; i++) people.push(await newcomer(caudex));
    const programs = [];
    for (let i = 0; i < PROGRAMS; i++) programs.push(await newcomer(caudex));
    const asking = async (seconds: number) => {
      const asked: Asked = { times: [], failed: 0 };
      await Promise.all(people.map(({ person, project }) => ask(person, project, seconds, asked)));
      return asked;
    };
    const target = {
      url: caudex.url,
      tokens: programs.map(({ person }) => person.token),
      models: programs.map(({ project }) => `caudex:${project}`),
    };
    await asking(5);
    await runFlood({ ...target, callers: PROGRAMS, seconds: 5 });
    const alone = await runFlood({ ...target, callers: PROGRAMS, seconds: 5 });
    await sleep(3000);
    const idle = await asking(SECONDS);
    const [stormed, storm] = await Promise.all([
      asking(SECONDS),
      runFlood({ ...target, seconds: SECONDS, callers: OVERLOAD * PROGRAMS }),
    ]);
    const line = (name: string, { times, failed }: Asked) =>
      console.log(
        `${name}: ${times.length} answered, ${failed} not; p50 ${percentile(times, 0.5).toFixed(0)} ms, p99 ${percentile(times, 0.99).toFixed(0)} ms`,
      );
    console.log(`${PROGRAMS} programs alone: ${alone.answered / 5}/s; ${OVERLOAD * PROGRAMS} beside people:`, storm);
    line('people alone', idle);
    line('people beside', stormed);
    const served = stormed.times.length / (stormed.times.length + stormed.failed);
    const slower = percentile(stormed.times, 0.99) / percentile(idle.times, 0.99);
    console.log(
      `served ${(100 * served).toFixed(1)} % (at least 99), p99 ${slower.toFixed(1)} × (limit ${MAX_SLOWER})`,
    );
    return served >= MIN_SERVED && slower <= MAX_SLOWER;
  } finally {
    await caudex.stop();
  }
}

if (isMainThread) process.exit((await measure()) ? 0 : 1);
else parentPort?.postMessage(await flood(workerData as Flood));
