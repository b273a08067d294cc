import 'reflect-metadata';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { apps } from './apps.js';
import { ConfigError } from './config/config.loader.js';
import { currentConfig } from './config/config.module.js';
import { APP_NAMES, type AppName, type Config } from './config/config.schema.js';
import { StartError } from './config/start-error.js';
import { startServer } from './http/server.js';

/** Starts the apps named on the command line in this process, or with `all` each in one of its own. */
export async function run(names: readonly string[]): Promise<void> {
  try {
    if (names.length === 1 && names[0] === 'all') {
      const { startAll } = await import('./launcher/launcher.js');
      return await startAll(currentConfig());
    }
    const [name] = names;
    if (names.length !== 1 || !isAppName(name)) {
      throw new StartError(`usage: node dist/main.js ${APP_NAMES.join(' | ')} | all; got "${names.join(' ')}"`);
    }
    await runOne(name, currentConfig());
  } catch (error) {
    console.error(`caudex: ${explain(error)}`);
    process.exit(1);
  }
}

async function runOne(name: AppName, config: Config): Promise<void> {
  checkDataDir(config.data_dir);
  const server = await startServer(name, await apps[name](), config);
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= server.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(`caudex: ${name} did not stop cleanly: ${explain(error)}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', close);
  // The process of ours that started this one was killed: so is this, at once, and its port is free for the next.
  process.on('disconnect', () => process.exit(1));
  process.send?.({ ready: name, port: server.port });
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
  if (code === 'EADDRINUSE') return `port ${port} is in use; stop what listens there or set PORT`;
  if (code === 'EACCES' && port !== undefined)
    return `port ${port} may not be opened by this user; set PORT to one above 1023`;
  return error instanceof Error ? (error.stack ?? message) : String(error);
}

function isAppName(name: string | undefined): name is AppName {
  return (APP_NAMES as readonly (string | undefined)[]).includes(name);
}
