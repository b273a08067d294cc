import { DownstreamError } from './downstream-error.js';
import { InFlight } from './in-flight.js';
import { StaleIfError } from './stale-if-error.js';
import { VirtualClock } from './testing/virtual-clock.js';

const key = (over = {}) => ({ userId: 'ada', projectId: 'p', what: 'GET /a', ...over });
const down = new DownstreamError({ service: 'chroma', reason: 'unreachable', message: 'Connection refused' });

describe('reads in flight', () => {
  const rig = () => {
    const flights = new InFlight();
    const reads: { end: (value: string) => void; fail: (error: Error) => void; signal: AbortSignal }[] = [];
    const read = (signal: AbortSignal) =>
      new Promise<string>((end, fail) => {
        reads.push({ end, fail, signal });
      });
    return { flights, reads, read };
  };

  it('are one call while they are the same; a later one is a new call', async () => {
    const { flights, reads, read } = rig();
    const both = Promise.all([flights.share(key(), undefined, read), flights.share(key(), undefined, read)]);
    expect(reads).toHaveLength(1);
    reads[0]?.end('text');
    expect(await both).toEqual(['text', 'text']);
    expect(flights.size).toBe(0);
    void flights.share(key(), undefined, read);
    expect(reads).toHaveLength(2);
  });

  it('are never shared between users, projects or questions', () => {
    const { flights, reads, read } = rig();
    for (const other of [{}, { userId: 'bob' }, { projectId: 'q' }, { projectId: null }, { what: 'GET /b' }]) {
      void flights.share(key(other), undefined, read);
    }
    void flights.share({ userId: 'a","b', projectId: 'c', what: '' }, undefined, read);
    void flights.share({ userId: 'a', projectId: 'b","c', what: '' }, undefined, read);
    expect(reads).toHaveLength(7);
  });

  it('fail together', async () => {
    const { flights, reads, read } = rig();
    const both = [flights.share(key(), undefined, read), flights.share(key(), undefined, read)];
    reads[0]?.fail(down);
    expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(flights.size).toBe(0);
  });

  it('continue for the callers that remain, and end when the last one has left', async () => {
    const { flights, reads, read } = rig();
    const [ada, bob] = [new AbortController(), new AbortController()];
    const first = flights.share(key(), ada.signal, read);
    const second = flights.share(key(), bob.signal, read);
    ada.abort(down);
    await expect(first).rejects.toBe(down);
    expect(reads[0]?.signal.aborted).toBe(false);
    bob.abort(down);
    await expect(second).rejects.toBe(down);
    expect(reads[0]?.signal.aborted).toBe(true);
    expect(flights.size).toBe(0);
    await expect(flights.share(key(), ada.signal, read)).rejects.toBe(down);
  });
});

describe('stale if error', () => {
  const rig = () => {
    const clock = new VirtualClock();
    return { clock, stale: new StaleIfError<string>({ maxEntries: 2, maxAgeMs: 1000 }, clock) };
  };
  const fails = () => Promise.reject(down);

  it('gives the last good result, with its age and the reason', async () => {
    const { clock, stale } = rig();
    expect(await stale.read(key(), () => Promise.resolve('good'))).toEqual({ value: 'good', ageMs: 0 });
    await clock.pass(600);
    expect(await stale.read(key(), fails)).toEqual({ value: 'good', ageMs: 600, error: down });
    await clock.pass(401);
    await expect(stale.read(key(), fails)).rejects.toBe(down);
  });

  it('never gives a result of another user or another project', async () => {
    const { stale } = rig();
    await stale.read(key(), () => Promise.resolve('good'));
    for (const other of [{ userId: 'bob' }, { projectId: 'q' }, { projectId: null }, { what: 'GET /b' }]) {
      await expect(stale.read(key(other), fails)).rejects.toBe(down);
    }
  });

  it.each(['rejected', 'cancelled'] as const)('passes on a failure that is: %s', async (reason) => {
    const { stale } = rig();
    await stale.read(key(), () => Promise.resolve('good'));
    const no = new DownstreamError({ service: 'chroma', reason, message: 'no' });
    await expect(stale.read(key(), () => Promise.reject(no))).rejects.toBe(no);
    await expect(stale.read(key(), () => Promise.reject(new TypeError('bug')))).rejects.toThrow('bug');
  });

  it('keeps a limited number of results, the newest ones, and drops those of a deleted project', async () => {
    const { stale } = rig();
    for (const what of ['1', '2', '1', '3']) await stale.read(key({ what }), () => Promise.resolve(what));
    await expect(stale.read(key({ what: '2' }), fails)).rejects.toBe(down);
    expect((await stale.read(key({ what: '1' }), fails)).value).toBe('1');
    await stale.read(key({ projectId: 'p2', what: '4' }), () => Promise.resolve('4'));
    stale.forget('ada', 'p');
    await expect(stale.read(key({ what: '3' }), fails)).rejects.toBe(down);
    expect((await stale.read(key({ projectId: 'p2', what: '4' }), fails)).value).toBe('4');
  });
});
