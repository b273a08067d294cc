import type { PinoLogger } from 'nestjs-pino';
import type { Config } from '../config/config.schema.js';
import type { ServiceRegistry } from '../resilience/service-registry.js';
import { Outbox } from './outbox.service.js';
import { SqliteOutboxStore } from './sqlite-outbox.store.js';

const entry = (key: string) => ({ topic: 'turn', key, userId: 'ann', projectId: null, payload: {} });

describe('Outbox', () => {
  it('delivers what comes while it looks when the next entry is due', async () => {
    const store = new SqliteOutboxStore(':memory:', 1_000_000);
    const services = { onStateChange: () => () => undefined } as unknown as ServiceRegistry;
    const outbox = new Outbox({} as Config, store, services, {} as PinoLogger);
    const delivered: string[] = [];
    const both = new Promise<void>((resolve) => {
      outbox.register({
        topic: 'turn',
        service: 'filesystem',
        deliver: async ({ key }) => {
          if (delivered.push(key) === 2) resolve();
        },
      });
    });
    const { nextDueMs } = store;
    store.nextDueMs = async () => {
      const next = await nextDueMs.call(store);
      store.nextDueMs = nextDueMs;
      await outbox.send([entry('second')]);
      return next;
    };
    await outbox.send([entry('first')]);
    await both;
    expect(delivered).toEqual(['first', 'second']);
    await outbox.onApplicationShutdown();
  }, 2000);
});
