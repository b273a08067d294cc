import { setTimeout as sleep } from 'node:timers/promises';
import type { AppName, Config } from '../config/config.schema.js';
import { guarded } from '../resilience/policy/guarded.js';
import { type Part, partsOf, partsUsedBy } from './parts.js';
import { WrongSetting } from './probes.js';

/** A model's endpoint may have to load something before its first answer. */
const LIMIT_MS = 5000;
const TITLES = ['PART', 'ADDRESS', 'STATE', 'SETTING', 'WHAT'] as const;

type Row = readonly [part: string, address: string, state: 'ok' | 'FAILED', setting: string, what: string];

/**
 * Asks every configured part once, all in parallel, and prints a table.
 * @returns the exit code: 1 where a part does not answer as it must
 */
export async function check(config: Config, print: (line: string) => void = console.log): Promise<0 | 1> {
  const rows = await Promise.all(partsOf(config, LIMIT_MS).map(ask));
  for (const line of table([TITLES, ...rows])) print(line);
  const failed = rows.filter(([, , state]) => state === 'FAILED').length;
  print('');
  print(failed === 0 ? `All ${rows.length} parts answer.` : `${failed} of ${rows.length} parts failed.`);
  return failed === 0 ? 0 : 1;
}

/** For the processes that start at the same time. */
const OTHERS_START_MS = 5000;

interface Log {
  log(line: string): void;
  warn(line: string): void;
}

/** Writes one line for each part that a process uses, some time after its start. Nothing depends on the results. */
export async function checkAtStart(app: AppName, config: Config, log: Log, delayMs = OTHERS_START_MS): Promise<void> {
  await sleep(delayMs, undefined, { ref: false });
  for (const part of partsUsedBy(app, config, LIMIT_MS)) {
    const [name, address, state, setting, what] = await ask(part);
    if (state === 'ok') log.log(`${app} uses ${name} at ${address}: ${what}`);
    else log.warn(`${app} cannot use ${name} at ${address}: ${what} (${setting})`);
  }
}

async function ask({ name, address, setting, probe }: Part): Promise<Row> {
  try {
    const what = await guarded(probe, { name, timeoutMs: LIMIT_MS });
    return [name, withoutPassword(address), 'ok', '', what];
  } catch (error) {
    const toBlame = error instanceof WrongSetting ? error.setting : setting;
    return [name, withoutPassword(address), 'FAILED', toBlame, reasonOf(error)];
  }
}

/** `fetch failed` alone says nothing. Its cause says why, and can be an AggregateError with an error for each address. */
function reasonOf(error: unknown): string {
  const { errors, cause, message } = error as { errors?: unknown[]; cause?: unknown; message?: string };
  if (errors?.[0] !== undefined) return reasonOf(errors[0]);
  if (cause !== undefined && cause !== null) return reasonOf(cause);
  return (message ?? String(error)).split('\n')[0] ?? '';
}

function withoutPassword(address: string): string {
  // A folder has none.
  if (!URL.canParse(address)) return address;
  const url = new URL(address);
  if (url.username === '' && url.password === '') return address;
  url.username = url.password = '';
  return url.href;
}

/** Columns as wide as their widest cell, two spaces apart. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = TITLES.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
