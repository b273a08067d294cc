import type { EndpointChoice } from '../../resilience/policy/call-context.js';
import { Copies } from './copies.js';

const call = { requestId: 'r' };

/** Copies at these URLs, with some numbers of entries that wait for them. */
function copiesAt(
  urls: readonly (string | undefined)[],
  waiting: Record<string, number> = {},
  counting: () => void = () => undefined,
) {
  const all = urls.map((endpoint) => ({ endpoint, client: {}, connection: {} }));
  const counts = async () => {
    counting();
    return new Map(Object.entries(waiting));
  };
  const store = { counts };
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

  it('do not trust a comparison that ends while the waiting changes are counted, because it may have added some', async () => {
    const compare = () => copies.wasCompared(copies.all[1] as never, 'first start');
    const copies = copiesAt(['http://a', 'http://b'], {}, compare);
    const { choice } = await choiceOf(copies);
    expect(choice.accepts('http://b', 'first start')).toBe(false);
    expect((await choiceOf(copies)).choice.accepts('http://b', 'first start')).toBe(true);
  });

  it('prefer one with waiting changes to one that is to get the whole of a project, and that to one that was not compared', async () => {
    const waiting = { 'index@http://a': 3000, 'index@http://b': 1, 'fill@http://b': 1 };
    const copies = copiesAt(['http://a', 'http://b', 'http://c'], waiting);
    for (const copy of copies.all.slice(0, 2)) copies.wasCompared(copy, 'first start');
    const { choice } = await choiceOf(copies);
    const ranks = ['http://a', 'http://b', 'http://c'].map((url) => choice.rank(url));
    expect(ranks).toEqual(ranks.toSorted((one, other) => one - other));
    expect(new Set(ranks).size).toBe(3);
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
