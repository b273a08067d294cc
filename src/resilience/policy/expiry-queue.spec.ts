import { ExpiryQueue } from './expiry-queue.js';
import { VirtualClock } from './testing/virtual-clock.js';

function rig() {
  const clock = new VirtualClock();
  const queue = new ExpiryQueue(clock);
  const expired: string[] = [];
  const item = (name: string, expiresAtMs: number) => ({
    expiresAtMs,
    expire: () => void expired.push(`${name}@${clock.now()}`),
  });
  return { clock, queue, expired, item };
}

describe('an expiry queue', () => {
  it('expires each item at its time, whatever the order of their addition', async () => {
    const { clock, queue, expired, item } = rig();
    for (const [name, atMs] of [
      ['c', 30],
      ['a', 10],
      ['b', 20],
      ['z', Infinity],
    ] as const)
      queue.add(item(name, atMs));
    await clock.pass(100);
    expect(expired).toEqual(['a@10', 'b@20', 'c@30']);
    expect(queue.size).toBe(1);
  });

  it('sets one timer for all items, and not before it is needed', async () => {
    const { clock, queue, item } = rig();
    for (let i = 0; i < 1000; i++) queue.add(item(String(i), 1000 + i));
    expect(clock.pending).toBe(1);
    await clock.pass(999);
    expect(queue.size).toBe(1000);
  });

  it('drops removed items, and stops its timer when it is empty', async () => {
    const { clock, queue, expired, item } = rig();
    const one = item('a', 10);
    queue.add(one);
    queue.remove(one);
    await clock.pass(10);
    expect(expired).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('uses a changed time, earlier or later', async () => {
    const { clock, queue, expired, item } = rig();
    const [sooner, later] = [item('sooner', 50), item('later', 50)];
    queue.add(sooner);
    queue.add(later);
    sooner.expiresAtMs = 5;
    later.expiresAtMs = 80;
    queue.add(sooner);
    queue.add(later);
    await clock.pass(100);
    expect(expired).toEqual(['sooner@5', 'later@80']);
  });

  it('does not expire an item that the end of another item has removed', async () => {
    const { clock, queue, expired, item } = rig();
    const second = item('second', 10);
    queue.add({ expiresAtMs: 10, expire: () => queue.remove(second) });
    queue.add(second);
    await clock.pass(10);
    expect(expired).toEqual([]);
  });

  it('expires an item whose time has already passed', async () => {
    const { clock, queue, expired, item } = rig();
    await clock.pass(100);
    queue.add(item('late', 50));
    await clock.pass(0);
    expect(expired).toEqual(['late@100']);
  });
});
