import { load, problems } from './testing/loading.js';

const TOKEN = '9f2c4e7ab81d03564f6e8a90b7c1d2e3f4a5968778695a4b';

describe('the settings of the clients', () => {
  it('have the default values of the design', () => {
    const { downstream } = load({});
    const table = Object.entries(downstream).map(([name, settings]) => [
      name,
      settings.max_retries,
      settings.timeout_ms,
      settings.failure_threshold,
      settings.recovery_timeout_ms,
    ]);
    expect(table).toEqual([
      ['auth', 2, 5000, 5, 30_000],
      ['filesystem', 3, 20_000, 5, 60_000],
      ['chroma', 3, 15_000, 5, 60_000],
      ['billing', 2, 5000, 10, 30_000],
      ['git', 3, 30_000, 5, 90_000],
      ['llm', 2, 20_000, 5, 30_000],
    ]);
    expect(downstream.llm.idle_timeout_ms).toBe(10_000);
  });

  it('come from the shared block, unless a service overrides them', () => {
    const { downstream } = load({
      CAUDEX__DOWNSTREAM_DEFAULTS__BULKHEAD__QUEUE: '7',
      CAUDEX__DOWNSTREAM__GIT__BULKHEAD__CONCURRENCY: '3',
      CAUDEX__DOWNSTREAM__GIT__BREAKER__KIND: 'slow_calls',
    });
    expect(downstream.git.bulkhead).toEqual({ concurrency: 3, queue: 7, adaptive: false });
    expect(downstream.chroma.bulkhead).toEqual({ concurrency: 128, queue: 7, adaptive: false });
    expect([downstream.git.breaker.kind, downstream.chroma.breaker.kind]).toEqual(['slow_calls', 'consecutive']);
  });

  it.each([
    [
      { CAUDEX__DOWNSTREAM__CHROMA__FAILURE_THRESHOLD: '0' },
      /^downstream\.chroma\.failure_threshold \(from CAUDEX__\w+\): 0 is too small; 1 at least/,
    ],
    [
      { CAUDEX__DOWNSTREAM__CHROMA__TIMEOUT_MS: '31000' },
      /^downstream\.chroma\.timeout_ms: 31000 is refused: at most deadlines\.default_ms \(30000\)/,
    ],
    [
      { CAUDEX__DEADLINES__CHAT_MS: '15000' },
      /^downstream\.llm\.timeout_ms: 20000 is refused: at most deadlines\.chat_ms \(15000\)/,
    ],
    [
      { CAUDEX__DOWNSTREAM__CHROMA__BREAKER__KIND: 'round' },
      /^downstream\.chroma\.breaker\.kind \(from CAUDEX__\w+\): "round" is refused: "consecutive" or "failure_rate" or "slow_calls" is needed/,
    ],
    [
      {
        CAUDEX__DOWNSTREAM__BILLING__BREAKER__KIND: 'slow_calls',
        CAUDEX__DOWNSTREAM__BILLING__BREAKER__SLOW_CALL_MS: '5000',
      },
      /^downstream\.billing\.breaker\.slow_call_ms: 5000 is refused: it must be below downstream\.billing\.timeout_ms \(5000\)/,
    ],
    [
      { CAUDEX__DOWNSTREAM_DEFAULTS__BULKHEAD__QUEUE: '-1' },
      /^downstream_defaults\.bulkhead\.queue \(from CAUDEX__\w+\): -1 is too small; 0 at least/,
    ],
    [
      { CAUDEX__DOWNSTREAM_DEFAULTS__BULKHEDD: '1' },
      /^downstream_defaults\.bulkhedd \(from CAUDEX__\w+\): there is no such setting/,
    ],
    [
      {
        CAUDEX__DOWNSTREAM__GIT__FAULT_DRILL__ERROR_RATE: '0.8',
        CAUDEX__DOWNSTREAM__GIT__FAULT_DRILL__RESET_RATE: '0.3',
      },
      /^downstream\.git\.fault_drill\.error_rate: 0\.8 is refused: with reset_rate \(0\.3\) it may make 1 at most/,
    ],
  ])('%j is refused, once, with its path and what would be right', (env, message) => {
    expect(problems(env as Record<string, string>)).toEqual([expect.stringMatching(message)]);
  });

  it('allow a drill in production only by name', () => {
    const production = {
      NODE_ENV: 'production',
      INTERNAL_SERVICE_TOKEN: TOKEN,
      CAUDEX__DOWNSTREAM__GIT__FAULT_DRILL__ENABLED: 'true',
    };
    expect(problems({ ...production, CAUDEX__FAULT_DRILLS_IN_PRODUCTION: '[chroma]' })).toEqual([
      'downstream.git.fault_drill.enabled: true is refused in production unless fault_drills_in_production names git',
    ]);
    expect(problems({ ...production, CAUDEX__FAULT_DRILLS_IN_PRODUCTION: '[chroma, git]' })).toEqual([]);
    expect(problems({ CAUDEX__DOWNSTREAM__GIT__FAULT_DRILL__ENABLED: 'true' })).toEqual([]);
  });
});
