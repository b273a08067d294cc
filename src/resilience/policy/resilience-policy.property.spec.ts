import { jest } from '@jest/globals';
import fc from 'fast-check';
import type { DownstreamSettings } from '../../config/config.schema.js';
import type { Attempt } from './attempt.js';
import type { Advice, Transition } from './circuit-breaker.js';
import { DownstreamError } from './downstream-error.js';
import { ResiliencePolicy } from './resilience-policy.js';
import { type Ending, ReferenceModel } from './testing/reference-model.js';
import { testSettings } from './testing/settings.js';
import { settle, VirtualClock } from './testing/virtual-clock.js';

/** Fewer for mutation testing, which runs them for each mutant. */
const SCHEDULES = Number(process.env['CAUDEX_SCHEDULES'] ?? 20_000);
const SEED = Number(process.env['CAUDEX_SEED'] ?? 20_251_115);

type Command =
  | { do: 'call'; of: number; within: number | undefined }
  | { do: 'end'; which: number; ending: Ending }
  | { do: 'abort'; which: number }
  | { do: 'pass'; ms: number }
  | { do: 'step wall clock'; ms: number }
  | { do: 'isolate'; on: boolean }
  | { do: 'advise'; advice: Advice };

const commands = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('call' as const),
        of: fc.constantFrom(1, 3),
        within: fc.option(fc.integer({ min: 1, max: 12_000 }), { nil: undefined, freq: 2 }),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('end' as const),
        which: fc.nat(7),
        ending: fc.constantFrom<Ending>('success', 'success', 'fault', 'fault', 'fault', 'rejected', 'saturated'),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat(7) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('pass' as const),
        ms: fc.constantFrom(10, 500, 1100, 2500, 5100, 10_100),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('step wall clock' as const), ms: fc.constantFrom(-3_600_000, 3_600_000) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('isolate' as const), on: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('advise' as const),
        advice: fc.constantFrom<Advice>(
          { says: 'failing', delayMs: 0 },
          { says: 'failing', delayMs: 700.03125 },
          { says: 'probing', forMs: 5000.125 },
          { says: 'recovered' },
        ),
      }),
    },
  ),
  { minLength: 4, maxLength: 24, size: 'max' },
);

/** The fractions keep different kinds of waits from ending at the same instant. */
const someSettings = fc
  .record({
    threshold: fc.integer({ min: 1, max: 4 }),
    concurrency: fc.integer({ min: 1, max: 5 }),
    queue: fc.nat(3),
    reserve: fc.nat(4),
  })
  .map(({ threshold, concurrency, queue, reserve }) =>
    testSettings({
      retry_base_ms: 1000.0625,
      timeout_ms: 5000.25,
      recovery_timeout_ms: 10_000.015625,
      failure_threshold: threshold,
      bulkhead: { concurrency, queue, adaptive: false },
      retry_budget: { ratio: 0.5, reserve, refill_per_s: 0 },
    }),
  );

/** How often the breakers went which way: schedules that never get there prove nothing. */
const seen = new Map<string, number>();

/** The real policy, moved by the same commands. */
class Rig {
  readonly clock = new VirtualClock();
  readonly results: (string | undefined)[] = [];
  readonly onWire = new Map<number, { attempt: Attempt; end: (ending: Ending) => void }>();
  readonly gone: AbortController[] = [];
  readonly policy: ResiliencePolicy;
  private release: (() => void) | undefined;

  constructor(settings: DownstreamSettings) {
    const stateChanged = ({ from, to }: Transition) => {
      const way = `${from} > ${to}`;
      seen.set(way, (seen.get(way) ?? 0) + 1);
    };
    this.policy = new ResiliencePolicy('chroma', settings, this.clock, [{ stateChanged }]);
  }

  call(of: number, deadlineMs: number): void {
    const id = this.results.push(undefined) - 1;
    const gone = new AbortController();
    this.gone.push(gone);
    const context = { requestId: String(id), deadlineMs, signal: gone.signal };
    const call = { method: 'GET', path: '/', route: '/', context, repeatable: of > 1 };
    this.policy
      .execute(call, (attempt) => this.carry(id, attempt))
      .then(
        () => (this.results[id] = 'ok'),
        (error: unknown) => (this.results[id] = error instanceof DownstreamError ? error.reason : String(error)),
      );
  }

  isolate(on: boolean): void {
    if (on) this.release ??= this.policy.breaker.breaker.isolate('operator');
    else {
      this.release?.();
      this.release = undefined;
    }
  }

  private carry(id: number, attempt: Attempt): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (ending: Ending) => {
        this.onWire.delete(id);
        if (ending === 'success') resolve();
        else reject(new DownstreamError({ service: 'chroma', reason: ending, message: ending, status: 429 }));
      };
      this.onWire.set(id, { attempt, end });
      attempt.onabort = () => this.onWire.delete(id);
    });
  }
}

function look(rig: Rig, model: ReferenceModel) {
  const { bulkhead, breaker: policy } = rig.policy;
  const { breaker } = policy;
  return {
    real: {
      state: breaker.name,
      failures: breaker.failures,
      wire: [...rig.onWire].map(([id, { attempt }]) => `${id}#${attempt.number}`).sort(),
      active: bulkhead.active,
      queued: bulkhead.queued,
      results: rig.results.map(String),
    },
    model: {
      state: model.seen,
      failures: model.failures,
      wire: model
        .all('wire')
        .map(({ id, attempt }) => `${id}#${attempt}`)
        .sort(),
      active: model.all('wire').length,
      queued: model.all('queue').length,
      results: model.calls.map(({ result }) => String(result)),
    },
  };
}

async function apply(command: Command, rig: Rig, model: ReferenceModel): Promise<void> {
  const pass = async (ms: number) => {
    model.pass(ms);
    await rig.clock.pass(ms);
  };
  // No two commands come at the same instant.
  await pass(1);
  switch (command.do) {
    case 'call': {
      const deadlineMs = command.within === undefined ? Infinity : model.now + command.within + 0.5;
      model.call(command.of, deadlineMs);
      rig.call(command.of, deadlineMs);
      break;
    }
    case 'end': {
      const wire = model.all('wire');
      const call = wire[command.which % wire.length];
      if (call === undefined) return;
      const real = rig.onWire.get(call.id);
      model.end(call, command.ending);
      real?.end(command.ending);
      break;
    }
    case 'abort': {
      const open = model.calls.filter(({ at }) => at !== 'done');
      const call = open[command.which % open.length];
      if (call === undefined) return;
      model.abort(call);
      rig.gone[call.id]?.abort();
      break;
    }
    case 'isolate':
      model.isolate(command.on);
      rig.isolate(command.on);
      break;
    case 'advise':
      model.advise(command.advice);
      rig.policy.breaker.breaker.advise(command.advice);
      break;
    case 'step wall clock':
      rig.clock.wallOffsetMs += command.ms;
      break;
    case 'pass':
      await pass(command.ms);
  }
  await settle();
}

function equal(rig: Rig, model: ReferenceModel): void {
  const { real, model: said } = look(rig, model);
  if (JSON.stringify(real) !== JSON.stringify(said)) expect(real).toEqual(said);
}

describe('the real policy and the reference model', () => {
  let ambiguous = 0;

  it(`agree over ${SCHEDULES} schedules of calls, endings, aborts, isolations, advice and clock steps`, async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0);
    const agree = fc.asyncProperty(someSettings, commands, async (settings, schedule) => {
      const rig = new Rig(settings);
      const model = new ReferenceModel(settings);
      for (const command of schedule) {
        await apply(command, rig, model);
        if (model.ambiguous) {
          ambiguous++;
          return;
        }
        equal(rig, model);
      }
      await comesToRest(rig, model);
    });
    await fc.assert(agree, { numRuns: SCHEDULES, seed: SEED, endOnFailure: false });
    expect(ambiguous).toBeLessThan(SCHEDULES / 100);
  }, 240_000);
});

/** Whatever happened, everything ends, nothing is left, and the service gets its next call. */
async function comesToRest(rig: Rig, model: ReferenceModel): Promise<void> {
  await rig.clock.pass(120_000);
  expect(rig.results.every((result) => result !== undefined)).toBe(true);
  expect([rig.onWire.size, rig.policy.bulkhead.active, rig.policy.bulkhead.queued]).toEqual([0, 0, 0]);
  rig.isolate(false);
  rig.call(1, Infinity);
  await settle();
  rig.onWire.get(model.calls.length)?.end('success');
  await settle();
  expect(rig.results.at(-1)).toBe('ok');
  expect(rig.policy.breaker.breaker.name).toBe('closed');
  await rig.clock.pass(10_000);
  expect(rig.clock.pending).toBe(0);
}
