import { APP_NAMES, type AppName, type Config, SERVER_NAMES } from '../config/config.schema.js';
import { DEMO_ACCOUNT } from '../config/demo-account.js';
import { ChildApp } from './child-app.js';

/** How long the servers behind the backend may take to end after it; with the backend's `http.shutdown_ms` all end within 10 s. */
const LAST_STOP_MS = 3000;

/** Starts every process whose address is on this machine, and stops them in order: callers before the servers they call. */
export async function startAll(config: Config): Promise<void> {
  const children = new Map<AppName, ChildApp>();
  for (const name of APP_NAMES) {
    const port = portOf(name, config);
    if (port === null) console.log(`caudex: using ${name} at ${urlOf(name, config)}`);
    else children.set(name, new ChildApp(name, port));
  }

  let stopping: Promise<void> | undefined;
  const stop = (code: number) => {
    stopping ??= stopAll(children, config).then(() => process.exit(code));
  };
  // The backend reloads its configuration.
  process.on('SIGHUP', () => children.get('backend')?.signal('SIGHUP'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping === undefined) console.log('caudex: stopping …');
      stop(0);
    });
  }

  try {
    await Promise.all([...children.values()].map((child) => child.ready));
  } catch (error) {
    if (stopping === undefined) console.error(`caudex: ${(error as Error).message}`);
    stop(1);
    return;
  }
  for (const child of children.values()) {
    void child.ended.then((how) => {
      if (stopping !== undefined) return;
      console.error(
        `caudex: ${child.name} ended (${how}); the others go on without it. Start it again with: node dist/main.js ${child.name}`,
      );
    });
  }
  const host =
    config.host === '0.0.0.0' || config.host === '::' || config.host === '127.0.0.1' ? 'localhost' : config.host;
  console.log(`caudex: all ${children.size} processes are ready: http://${host}:${portOf('backend', config)}`);
  if (config.auth.demo_account)
    console.log(`caudex: sign in as ${DEMO_ACCOUNT.email} with the password ${DEMO_ACCOUNT.password}`);
  console.log('caudex: Ctrl-C stops them all');
}

async function stopAll(children: ReadonlyMap<AppName, ChildApp>, config: Config): Promise<void> {
  await children.get('backend')?.stop(config.http.drain_delay_ms + config.http.shutdown_ms + 500);
  await Promise.all(SERVER_NAMES.map(async (name) => children.get(name)?.stop(config.http.drain_delay_ms + LAST_STOP_MS)));
}

/** The port in the process's address; null where the address is on another machine. */
function portOf(name: AppName, config: Config): number | null {
  if (name === 'backend') return config.port ?? config.ports.backend;
  const { hostname, port, protocol } = new URL(urlOf(name, config));
  if (!['localhost', '127.0.0.1', '[::1]'].includes(hostname)) return null;
  return Number(port) || (protocol === 'https:' ? 443 : 80);
}

function urlOf(name: AppName, config: Config): string {
  return name === 'backend' ? '' : config.downstream[name].url;
}
