import { readdirSync, readFileSync } from 'node:fs';

/** The unit of the times in `/proc`, on every architecture that Linux runs on. */
const TICK_MS = 10;

/** User and system time in milliseconds. */
export interface ProcessorTime {
  own: number;
  /** Of the processes that it started, those that have ended included. */
  children: number;
}

interface ProcessState extends ProcessorTime {
  parent: number;
}

/** The processor time of some processes, in their order; NaN where there is no `/proc`, or no such process. */
export function processorTimes(pids: readonly number[]): ProcessorTime[] {
  const states = allStates();
  return pids.map((pid) => {
    const { own, children } = states.get(pid) ?? { own: NaN, children: NaN };
    return { own, children: children + livingChildrenMs(states, pid) };
  });
}

function livingChildrenMs(states: ReadonlyMap<number, ProcessState>, pid: number): number {
  const living = [...states].filter(([, { parent }]) => parent === pid);
  return living.reduce((sum, [child, { own, children }]) => sum + own + children + livingChildrenMs(states, child), 0);
}

function allStates(): Map<number, ProcessState> {
  const states = new Map<number, ProcessState>();
  const names = process.platform === 'linux' ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
  for (const name of names) {
    const state = stateOf(name);
    if (state !== undefined) states.set(Number(name), state);
  }
  return states;
}

/** Undefined where the process has ended. */
function stateOf(pid: string): ProcessState | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces. The fields after it begin with the third of proc(5).
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [user = 0, system = 0, usersOfChildren = 0, systemOfChildren = 0] = fields.slice(11, 15);
    return {
      parent: fields[1] ?? 0,
      own: (user + system) * TICK_MS,
      children: (usersOfChildren + systemOfChildren) * TICK_MS,
    };
  } catch {
    return undefined;
  }
}
