import { type FSWatcher, watch } from 'node:fs';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { PinoLogger } from 'nestjs-pino';
import { ConfigError } from './config.loader.js';
import type { Config } from './config.schema.js';
import { isTree } from './tree.js';

/** An editor writes a file in several steps. */
const SETTLE_MS = 200;

/**
 * Reads the configuration again when its folder changes or on SIGHUP. A valid one goes to the listeners; for an
 * invalid one every fault is logged, and the old one stays. Only `downstream` can change while the process runs.
 */
export class ConfigReloader implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly listeners = new Set<(config: Config) => void>();
  private watcher: FSWatcher | undefined;
  private settling: NodeJS.Timeout | undefined;

  constructor(
    private config: Config,
    private readonly log: Pick<PinoLogger, 'info' | 'warn' | 'error'>,
    /** null: no folder is watched. */
    private readonly dir: string | null,
    private readonly load: () => Config,
  ) {}

  onReload(listener: (config: Config) => void): void {
    this.listeners.add(listener);
  }

  onApplicationBootstrap(): void {
    if (this.dir === null) return;
    this.watcher = watch(this.dir, () => {
      clearTimeout(this.settling);
      this.settling = setTimeout(this.reload, SETTLE_MS).unref();
    });
    this.watcher.unref();
    this.watcher.on('error', (error) => this.log.error({ err: error }, `${this.dir} is no longer watched`));
    process.on('SIGHUP', this.reload);
  }

  onModuleDestroy(): void {
    clearTimeout(this.settling);
    this.watcher?.close();
    process.off('SIGHUP', this.reload);
  }

  readonly reload = (): void => {
    let config: Config;
    try {
      config = this.load();
    } catch (error) {
      const problems = error instanceof ConfigError ? error.problems : [String(error)];
      for (const problem of problems) this.log.error({}, `Configuration refused, the one before stays: ${problem}`);
      return;
    }
    const changed = differences(this.config, config);
    if (changed.length === 0) return;
    this.config = config;
    for (const path of changed) {
      const when = path.startsWith('downstream.') ? 'taken over' : 'takes effect at the next start';
      this.log.warn({}, `Configuration changed: ${path}, ${when}`);
    }
    for (const listener of this.listeners) listener(config);
  };
}

/** The paths of all values that differ. */
function differences(before: unknown, after: unknown, path: readonly string[] = []): string[] {
  if (!isTree(before) || !isTree(after)) {
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [path.join('.')];
  }
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differences(before[key], after[key], [...path, key]));
}
