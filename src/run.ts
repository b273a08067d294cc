import 'reflect-metadata';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { Logger } from 'nestjs-pino';
import { apps } from './apps.js';
import { ConfigError } from './config/config.loader.js';
import { currentConfig } from './config/config.module.js';
import { APP_NAMES, type AppName, type Config } from './config/config.schema.js';
import { StartError } from './config/start-error.js';
import { type RunningServer, startServer } from './http/server.js';
import { routeFetch } from './resilience/wire/outside.js';

/** PORT sets the port of a process with one app. */
const PORT_SETTING = 'PORT (of one of several apps CAUDEX__PORTS__<NAME>)';

interface Command {
  /** The names of its operands; those in brackets may be left out. */
  operands: readonly string[];
  run: (config: Config, ...operands: string[]) => Promise<void>;
}

/** The commands beside serving. */
const COMMANDS: Record<string, Command> = {
  check: {
    operands: [],
    run: async (config) => {
      process.exitCode = await (await import('./check/check.js')).check(config);
    },
  },
  migrate: { operands: [], run: async (config) => (await import('./migrate/migrate.js')).migrate(config) },
  'migrate-data': {
    operands: ['[postgres|sqlite|documents]'],
    run: async (config, target) => (await import('./migrate/migrate-data.js')).migrateData(config, target),
  },
  backup: {
    operands: ['FILE'],
    run: async (config, file = '') => (await import('./backup/backup.js')).backup(config, file),
  },
  restore: {
    operands: ['FILE'],
    run: async (config, file = '') => (await import('./backup/restore.js')).restore(config, file),
  },
  'export-accounts': {
    operands: ['FILE'],
    run: async (config, file = '') =>
      (await import('./export-accounts/export-accounts.js')).exportAccounts(config, file),
  },
  invite: {
    operands: ['EMAIL'],
    run: async (config, email = '') => (await import('./invite/invite.js')).invite(config, email),
  },
  grant: {
    operands: ['EMAIL', 'CREDITS'],
    run: async (config, email = '', credits = '') => (await import('./grant/grant.js')).grant(config, email, credits),
  },
};

function takes({ operands }: Command, given: number): boolean {
  return given <= operands.length && given >= operands.filter((name) => !name.startsWith('[')).length;
}

const USAGE = ['all', ...Object.entries(COMMANDS).map(([name, { operands }]) => [name, ...operands].join(' '))].join(
  ' | ',
);

/** Starts the apps named on the command line in this process, or with `all` every one in a process of its own; or does what else the command says. */
export async function run(names: readonly string[]): Promise<void> {
  try {
    if (names.length === 1 && names[0] === 'all') {
      const { startAll } = await import('./launcher/launcher.js');
      return await startAll(currentConfig());
    }
    routeFetch(currentConfig().proxy);
    const [command = '', ...operands] = names;
    const known = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
    if (known !== undefined && takes(known, operands.length)) return await known.run(currentConfig(), ...operands);
    if (names.length === 0 || !names.every(isAppName) || new Set(names).size < names.length) {
      throw new StartError(
        `usage: node dist/main.js ${USAGE} | sync DIR --project NAME, or one or more of ${APP_NAMES.join(', ')}, each once; got "${names.join(' ')}"`,
      );
    }
    await runHere(names, currentConfig());
  } catch (error) {
    console.error(`caudex: ${explain(error)}`);
    process.exit(1);
  }
}

async function runHere(names: readonly AppName[], config: Config): Promise<void> {
  if (config.port !== null && names.length > 1) {
    const [first] = names;
    throw new StartError(
      `PORT: ${config.port} can't be the port of ${names.join(' and ')}; unset it and set the port of each, for instance CAUDEX__PORTS__${first?.toUpperCase()}`,
    );
  }
  checkDataDir(config.data_dir);
  const servers = new Map<AppName, RunningServer>();
  // One after the other, because Nest has one logger for the whole process while an app starts.
  for (const name of names) servers.set(name, await startServer(name, await apps[name](), config));
  if (config.check_at_start) for (const [name, { app }] of servers) void checkLater(name, config, app.get(Logger));
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= closeAll(servers).then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(`caudex: ${names.join(' ')} did not stop cleanly: ${explain(error)}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', close);
  // The process that started this one was killed. This one ends at once, so that its port is free for the next.
  process.on('disconnect', () => process.exit(1));
  for (const [name, { port }] of servers) process.send?.({ ready: name, port });
}

async function checkLater(name: AppName, config: Config, log: Logger): Promise<void> {
  const { checkAtStart } = await import('./check/check.js');
  const inContext = {
    log: (line: string) => log.log(line, 'Caudex'),
    warn: (line: string) => log.warn(line, 'Caudex'),
  };
  await checkAtStart(name, config, inContext).catch((error: unknown) => log.warn(explain(error), 'Caudex'));
}

/** Closes callers before the servers they call. */
async function closeAll(servers: ReadonlyMap<AppName, RunningServer>): Promise<void> {
  await servers.get('backend')?.close();
  const others = [...servers].filter(([name]) => name !== 'backend');
  await Promise.all(others.map(([, server]) => server.close()));
}

function checkDataDir(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
    accessSync(dir, constants.W_OK);
  } catch (error) {
    throw new StartError(
      `DATA_DIR: ${dir} can't be written (${(error as NodeJS.ErrnoException).code}); name a folder of your own`,
    );
  }
}

function explain(error: unknown): string {
  if (error instanceof ConfigError || error instanceof StartError) return error.message;
  const { code, port, message } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `port ${port} is in use; stop what listens there or set ${PORT_SETTING}`;
  if (code === 'EACCES' && port !== undefined)
    return `port ${port} may not be opened by this user; set ${PORT_SETTING} to one above 1023`;
  return error instanceof Error ? (error.stack ?? message) : String(error);
}

function isAppName(name: string): name is AppName {
  return (APP_NAMES as readonly string[]).includes(name);
}
