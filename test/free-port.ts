import { randomInt } from 'node:crypto';
import { isFree } from '../src/storage/free-port.js';

/**
 * Below the ports that the operating system gives to outgoing connections and to servers that ask for any port. Each
 * worker of the test runner has ports of its own, because a port stays free until the process that it was chosen for
 * listens.
 */
const FIRST = 10_000;
const PER_WORKER = 1000;
const WORKERS = 10;
const base = FIRST + (Number(process.env['JEST_WORKER_ID'] ?? 0) % WORKERS) * PER_WORKER;

let last = randomInt(PER_WORKER);

/** A port of 127.0.0.1 at which nothing listens, different at each call. */
export async function freePort(): Promise<number> {
  for (;;) {
    last = (last + 1) % PER_WORKER;
    const port = base + last;
    if (await isFree(port)) return port;
  }
}
