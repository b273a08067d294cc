import type { OutboxEntry } from '../../../outbox/outbox.store.js';
import { DownstreamError } from '../../../resilience/policy/downstream-error.js';
import { HistoryComparison } from './history-comparison.service.js';

const signal = new AbortController().signal;
const away = () => new DownstreamError({ service: 'git', reason: 'unreachable', message: 'Connection refused' });

/** Two git servers with these versions of the project `p` of `ann`; undefined: the server is away. */
function comparing(...digests: (readonly [digest: string, versions: number] | undefined)[]) {
  const urls = ['http://a', 'http://b'];
  const all = urls.map((endpoint) => ({
    endpoint,
    client: { endpoint },
    connection: { instance: 'start', title: endpoint },
  }));
  const trusted: string[] = [];
  const sent: OutboxEntry[] = [];
  const stored = {
    versionInventory: async ({ endpoint }: { endpoint: string }) => {
      const held = digests[urls.indexOf(endpoint)];
      if (held === undefined) throw away();
      const [digest, documents] = held;
      return documents === 0 ? [] : [{ user_id: 'ann', project_id: 'p', digest, documents }];
    },
  };
  const histories = { all, wasCompared: ({ endpoint }: { endpoint: string }) => void trusted.push(endpoint) };
  const outbox = {
    send: async (entries: OutboxEntry[]) => void sent.push(...entries),
    store: {
      counts: async (topics: string[]) => {
        const waiting = sent.filter(({ topic }) => topics.includes(topic)).map(({ topic }) => [topic, 1] as const);
        return new Map(waiting);
      },
    },
  };
  const parts = [stored, histories, outbox, { warn: () => undefined }];
  const comparison = new HistoryComparison(...(parts as unknown as ConstructorParameters<typeof HistoryComparison>));
  return { comparison, digests, sent, trusted };
}

describe('the comparison of git servers', () => {
  it('gives the server with fewer versions those of the other one, before it is trusted', async () => {
    const { comparison, sent, trusted } = comparing(['x', 7], ['', 0]);
    expect(await comparison.compare(signal)).toMatchObject({ areAllThere: true, isLevel: false });
    expect(sent).toMatchObject([
      { topic: 'history.fill@http://b', userId: 'ann', projectId: 'p', payload: { from: 'http://a' } },
    ]);
    expect(trusted).toEqual(['http://a', 'http://b']);
  });

  it('waits for what it has queued, and does not repeat what has changed nothing', async () => {
    const { comparison, sent } = comparing(['x', 7], ['y', 9]);
    await comparison.compare(signal);
    expect(await comparison.compare(signal)).toMatchObject({ isLevel: false });
    expect(sent).toMatchObject([{ topic: 'history.fill@http://a', payload: { from: 'http://b' } }]);
    sent.length = 0;
    const { isLevel, differing } = await comparison.compare(signal);
    expect({ isLevel, differing: [...differing], sent }).toEqual({ isLevel: true, differing: ['ann/p'], sent: [] });
  });

  it('queues nothing where they are equal, or only one answers', async () => {
    const equal = comparing(['x', 7], ['x', 7]);
    expect(await equal.comparison.compare(signal)).toMatchObject({ areAllThere: true, isLevel: true });
    const alone = comparing(undefined, ['x', 7]);
    expect(await alone.comparison.compare(signal)).toMatchObject({ areAllThere: false });
    expect([...equal.sent, ...alone.sent]).toEqual([]);
    expect(alone.trusted).toEqual(['http://b']);
  });
});
