import type { EndpointChoice } from '../../resilience/policy/call-context.js';
import { Copies } from './copies.js';

const call = { requestId: 'r' };

/** Copies at these URLs, with some numbers of entries that wait for them. */
function copiesAt(urls: readonly (string | undefined)[], waiting: Record<string, number> = {}) {
  const all = urls.map((endpoint) => ({ endpoint, client: {}, connection: {} }));
  const store = { counts: async () => new Map(Object.entries(waiting)) };
  return new Copies(all as never, { register: () => undefined, store } as never, 'index', 'fill');
}
const choiceOf = async (copies: ReturnType<typeof copiesAt>) => {
  const reading = await copies.reading('ann', 'p');
  return { reading, choice: (reading.of(call) as { endpoints?: EndpointChoice }).endpoints as EndpointChoice };
};

describe('the copies of a service', () => {
  it('have one entry for each change and no choice where there is one server', async () => {
    const copies = copiesAt([undefined]);
    expect(copies.topics()).toEqual(['index']);
    const reading = await copies.reading('ann', 'p');
    expect(reading.of(call)).toBe(call);
    expect(reading.endpoint).toBeUndefined();
  });

  it('prefer one for which nothing of the project waits', async () => {
    const copies = copiesAt(['http://a', 'http://b'], { 'index@http://a': 3 });
    expect(copies.topics('index.drop')).toEqual(['index.drop@http://a', 'index.drop@http://b']);
    for (const copy of copies.all) copies.wasCompared(copy, 'first start');
    const { reading, choice } = await choiceOf(copies);
    expect(choice.rank('http://b')).toBeLessThan(choice.rank('http://a'));
    choice.answered('http://b');
    expect(reading.endpoint).toBe('http://b');
  });

  it('prefer one with waiting changes to one that was not compared, and take no answer of a new start', async () => {
    const copies = copiesAt(['http://a', 'http://b'], { 'index@http://a': 300_000 });
    copies.wasCompared(copies.all[0] as never, 'first start');
    const { choice } = await choiceOf(copies);
    expect(choice.rank('http://a')).toBeLessThan(choice.rank('http://b'));
    expect(choice.accepts('http://a', 'first start')).toBe(true);
    expect(choice.accepts('http://a', 'second start')).toBe(false);
    expect(choice.accepts('http://b', 'first start')).toBe(false);
  });
});
