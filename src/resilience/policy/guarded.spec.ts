import { setTimeout as sleep } from 'node:timers/promises';
import { guarded, outboundBreaker } from './guarded.js';

const never = () => new Promise<never>(() => undefined);
const name = 'ChromaDB';

it('passes a result and an error on', async () => {
  await expect(guarded(() => Promise.resolve(1), { name, timeoutMs: 100 })).resolves.toBe(1);
  const bug = new Error('bug');
  await expect(guarded(() => Promise.reject(bug), { name, timeoutMs: 100 })).rejects.toBe(bug);
});

it('ends a call that hangs, and aborts its signal', async () => {
  let seen: AbortSignal | undefined;
  const hangs = guarded((signal) => ((seen = signal), never()), { name, timeoutMs: 20 });
  await expect(hangs).rejects.toMatchObject({
    reason: 'timeout',
    message: 'ChromaDB gave no answer within 20 ms',
  });
  expect(seen?.aborted).toBe(true);
});

it("ends a call at the caller's deadline", async () => {
  const deadlineMs = performance.now() + 20;
  await expect(guarded(never, { name, timeoutMs: 5000, deadlineMs })).rejects.toMatchObject({ reason: 'deadline' });
  await expect(guarded(never, { name, timeoutMs: 5000, deadlineMs: performance.now() - 1 })).rejects.toMatchObject({
    message: "ChromaDB was not called: the caller's deadline has passed",
  });
});

it('does not call a place whose breaker is open, and calls it again after the recovery time', async () => {
  const breaker = outboundBreaker({ failures: 2, recoveryMs: 30 });
  const call = (work: () => Promise<string>) => guarded(work, { name, timeoutMs: 1000, breaker });
  const fails = () => Promise.reject(new Error('down'));
  for (let i = 0; i < 2; i++) await expect(call(fails)).rejects.toThrow('down');
  await expect(call(() => Promise.resolve('fine'))).rejects.toMatchObject({ reason: 'circuit_open' });
  await sleep(40);
  await expect(call(() => Promise.resolve('fine'))).resolves.toBe('fine');
});

it("does not open a breaker for a caller's short deadline", async () => {
  const breaker = outboundBreaker({ failures: 1, recoveryMs: 10_000 });
  const deadlineMs = performance.now() + 10;
  await expect(guarded(never, { name, timeoutMs: 1000, deadlineMs, breaker })).rejects.toMatchObject({
    reason: 'deadline',
  });
  await expect(guarded(() => Promise.resolve(1), { name, timeoutMs: 1000, breaker })).resolves.toBe(1);
});

it('does not count an error that tells nothing about the place called', async () => {
  const breaker = outboundBreaker({ failures: 1, recoveryMs: 1000, isFailure: (error) => error !== refusal });
  const refusal = new Error('your statement is wrong');
  const call = (error: Error) => guarded(() => Promise.reject(error), { name, timeoutMs: 1000, breaker });
  for (let i = 0; i < 3; i++) await expect(call(refusal)).rejects.toBe(refusal);
  await expect(call(new Error('down'))).rejects.toThrow('down');
  await expect(call(refusal)).rejects.toMatchObject({ reason: 'circuit_open' });
});
