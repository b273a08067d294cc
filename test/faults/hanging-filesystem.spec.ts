import { Caudex, until } from '../system/caudex.js';
import { FaultProxy } from './fault-proxy.js';

const BUDGET_MS = 500;

it('a filesystem that hangs costs an asker no more than the budget, also where the project is not known yet', async () => {
  let port = 0;
  const proxy = await FaultProxy.start(() => port, 0);
  const budgets = {
    CAUDEX__CHAT__CONTEXT_BUDGET_MS: String(BUDGET_MS),
    CAUDEX__SEARCH__CONTEXT_BUDGET_MS: String(BUDGET_MS),
  };
  const caudex = await Caudex.start({ ...budgets, FILESYSTEM_SERVER_URL: proxy.url });
  try {
    port = caudex.ports.filesystem;
    const person = await caudex.signUp();
    const project = await person.project();
    await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen first.');
    await until('it is indexed', async () => (await person.search(project, 'pears')).source === 'hybrid');
    const { conversation_id } = await person.chat(project, 'When do pears ripen?');
    await caudex.kill('backend');
    await caudex.launch('backend');
    await person.get('/v1/api/auth/check');

    await proxy.suffer('hang before headers');
    const beganMs = performance.now();
    expect(await person.search(project, 'pears')).toMatchObject({ source: 'hybrid', outcome: 'found' });
    expect(await person.chat(project, 'And now?', { conversation_id })).toMatchObject({
      source: 'hybrid',
      saved: 'queued',
      degradation: [{ service: 'filesystem', reason: 'deadline', fallback: 'none' }],
    });
    // Downstream calls may take 20 s here.
    expect(performance.now() - beganMs).toBeLessThan(2 * BUDGET_MS + 3000);
  } finally {
    await caudex.stop();
    await proxy.stop();
  }
}, 60_000);
