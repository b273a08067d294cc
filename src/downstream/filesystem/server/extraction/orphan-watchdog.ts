import { Worker } from 'node:worker_threads';

/** A busy parser blocks the event loop, so a thread ends the process when its parent has ended. */
const WATCHDOG = `
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && process.kill(process.pid, 'SIGKILL'), 500);`;

export function endWithParent(): void {
  new Worker(WATCHDOG, { eval: true }).unref();
  process.once('disconnect', () => process.exit());
}
