import { watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { StartError } from '../config/start-error.js';
import { syncSettings } from '../config/sync-settings.js';
import { CaudexApi, Refusal } from './caudex-api.js';
import { Folder, STATE_DIR } from './folder.js';
import type { Action } from './plan.js';
import type { Outcome, Report } from './pass-record.js';
import { SyncPass } from './sync-pass.js';
import { SyncState } from './sync-state.js';

export const SYNC_USAGE = 'caudex sync DIR --project NAME [--both] [--once] [--dry-run]';

/** 0: in step; 1: wrong usage; 2: some files were not stored; 3: the server refuses this key or has no room. */
const EXIT = { wrongUsage: 1, someFailed: 2, refused: 3 };
/** Changes come in bursts: the folder is read this long after the first one. */
const QUIET_MS = 300;
/** How often everything is compared without a reported change: reports can get lost, and the server may have changed. */
const RESCAN_MS = 60_000;
/** {@link RESCAN_MS} where changes on the server come to the folder. */
const RESCAN_BOTH_MS = 15_000;
/** The most passes in a row, for a folder that changes all the time; the next change or scan continues. */
const MAX_PASSES = 5;

/** Keeps a project in step with a folder: once, or until it is stopped. */
export async function sync(args: readonly string[]): Promise<void> {
  try {
    await keepInStep(args);
  } catch (error) {
    if (!(error instanceof StartError || error instanceof Refusal)) throw error;
    console.error(`caudex: ${error.message}`);
    process.exitCode = error instanceof Refusal ? EXIT.refused : EXIT.wrongUsage;
  }
}

/** @throws StartError, Refusal */
async function keepInStep(args: readonly string[]): Promise<void> {
  const { dir, project: name, both, once, dryRun } = await optionsOf(args);
  // The process that started this one was killed.
  process.on('disconnect', () => process.exit(1));
  // The channel to it keeps this process from ending by itself.
  process.channel?.unref();
  const api = new CaudexApi(syncSettings(), (reason) => console.error(`caudex: ${reason}; trying again`));
  const state = new SyncState(dir);
  try {
    const project = await projectOf(api, name, dryRun);
    if (project === undefined) return console.log(`caudex: there is no project ${name} yet; it would be made`);
    state.bind(api.settings.url, project);
    const folder = new Folder(dir);
    const pass = () => new SyncPass(folder, state, api, { project, both }, terminal);
    if (dryRun) return (await pass().plan()).actions.forEach(show);
    if (once) process.exitCode = (await inStep(pass, name)) > 0 ? EXIT.someFailed : 0;
    else await follow(dir, both ? RESCAN_BOTH_MS : RESCAN_MS, () => inStep(pass, name));
  } finally {
    state.close();
  }
}

async function optionsOf(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        project: { type: 'string' },
        both: { type: 'boolean' },
        once: { type: 'boolean' },
        'dry-run': { type: 'boolean' },
      },
    });
    const [dir, ...others] = positionals;
    if (dir === undefined || others.length > 0 || !values.project) throw new Error('DIR and --project are needed');
    if (!(await stat(dir)).isDirectory()) throw new Error(`${dir} is no folder`);
    return {
      dir: resolve(dir),
      project: values.project,
      both: values.both ?? false,
      once: values.once ?? false,
      dryRun: values['dry-run'] ?? false,
    };
  } catch (error) {
    throw new StartError(`${(error as Error).message}; usage: ${SYNC_USAGE}`);
  }
}

/** Undefined where a dry run finds none. @throws StartError where several have the name */
async function projectOf(api: CaudexApi, name: string, dryRun: boolean): Promise<string | undefined> {
  const [found, ...others] = await api.projects(name);
  if (others.length > 0) {
    throw new StartError(
      `--project: ${others.length + 1} projects are named ${name}; give the id of one: ${[found, ...others].join(', ')}`,
    );
  }
  return found ?? (dryRun ? undefined : api.createProject(name));
}

/** Passes until nothing changes any more. @returns how many files failed */
async function inStep(pass: () => SyncPass, name: string): Promise<number> {
  const outcomes: Outcome[] = [];
  while (outcomes.length < MAX_PASSES && outcomes.at(-1)?.again !== false) outcomes.push(await pass().run());
  const failed = outcomes.at(-1)?.failed ?? 0;
  const state = failed > 0 ? `${failed} not stored` : `in step with ${name}`;
  console.log(`caudex: ${summaryOf(outcomes)}; ${state}`);
  return failed;
}

function summaryOf(outcomes: readonly Outcome[]): string {
  const sum = (what: keyof Omit<Outcome, 'again'>) => outcomes.reduce((total, outcome) => total + outcome[what], 0);
  const always = [`${sum('uploaded')} uploaded`, `${sum('deleted')} deleted`, `${sum('conflicts')} conflicts`];
  const others = (['moved', 'downloaded', 'removed'] as const).filter((what) => sum(what) > 0);
  const named = { moved: 'moved', downloaded: 'downloaded', removed: 'removed here' };
  return [...always, ...others.map((what) => `${sum(what)} ${named[what]}`)].join(', ');
}

/** Runs `work` now, after each change in the folder, and every `rescanMs`. */
async function follow(dir: string, rescanMs: number, work: () => Promise<unknown>): Promise<never> {
  let change = Promise.withResolvers<void>();
  const watcher = watch(dir, { recursive: true }, (_, file) => {
    if (file === null || !file.startsWith(STATE_DIR)) change.resolve();
  });
  watcher.on('error', (error) => {
    console.error(
      `caudex: changes are not seen at once (${error.message}); the folder is read every ${rescanMs / 1000} s`,
    );
  });
  for (;;) {
    change = Promise.withResolvers();
    await work();
    await Promise.race([change.promise, sleep(rescanMs, undefined)]);
    await sleep(QUIET_MS);
  }
}

const terminal: Report = {
  line: (mark, path, note) => console.log(`${mark} ${path}${note === undefined ? '' : `: ${note}`}`),
  progress: (done, total) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done}/${total}${done === total ? '\n' : ''}`);
  },
};

const MARKS: Record<Action['kind'], string> = {
  ...{ upload: 'A', move: 'R', delete: 'D', compare: '?', forget: ' ', leave: ' ', download: '+', remove: '-' },
};

function show(action: Action): void {
  if (action.kind === 'move') {
    for (const { from, to } of action.move.documents) terminal.line('R', to, `from ${from}`);
    return;
  }
  const isChange = action.kind === 'upload' && action.version !== null;
  const isReplacement = action.kind === 'download' && action.digest !== null;
  terminal.line(isChange ? 'M' : isReplacement ? '*' : MARKS[action.kind], action.path);
}
