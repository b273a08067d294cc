import { Copies } from '../copies/copies.js';
import type { OutboxEntry } from '../../outbox/outbox.store.js';
import { DocumentSync } from './document-sync.service.js';

type Deliver = (entry: OutboxEntry, call: object) => Promise<void>;

/** Delivers an index update while the project is deleted, and records the calls of the index. */
async function deliverDuringDeletion(payload: object): Promise<string[]> {
  const calls: string[] = [];
  let deliver: Deliver = () => Promise.reject(new Error('no delivery is registered'));
  const document = { path: 'b.md', version: 'v', title: 'B', text: 'b' };
  const filesystem = {
    getDocument: async () => document,
    readDocuments: async () => ({ documents: [document] }),
  };
  const upsert = async () => {
    await sync.forget('ada', 'p');
    calls.push('upsert');
  };
  const chroma = {
    upsert,
    upsertAll: upsert,
    dropProject: async () => void calls.push('dropProject'),
  };
  const outbox = {
    register: (topic: { topic: string; deliver: Deliver }) => {
      if (topic.topic === 'index') deliver = topic.deliver;
    },
    discard: async () => undefined,
    store: { pending: async () => [] },
  };
  const listeners = { onDelete: () => undefined };
  const copiesOf = (client: object, topic: string) =>
    new Copies([{ endpoint: undefined, client, connection: {} }] as never, outbox as never, topic);
  const parts = [{}, filesystem, copiesOf(chroma, 'index'), copiesOf({}, 'commit'), outbox, listeners, listeners];
  const sync = new DocumentSync(...(parts as unknown as ConstructorParameters<typeof DocumentSync>));
  sync.onModuleInit();
  await deliver({ projectId: 'p', payload } as OutboxEntry, { userId: 'ada' });
  return calls;
}

describe('an index update of a project that is deleted meanwhile', () => {
  it.each([
    ['a document', { path: 'b.md' }],
    ['a moved document', { path: 'b.md', moved_from: { path: 'a.md', version: 'u' } }],
  ])('leaves nothing of %s in the index', async (_what, payload) => {
    expect(await deliverDuringDeletion(payload)).toEqual(['upsert', 'dropProject']);
  });
});
