import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../free-port.js';
import { until } from '../system/caudex.js';

const CONFIGURATION = join(import.meta.dirname, '../../deploy/haproxy.cfg');

/** HAProxy with the configuration in deploy/, in front of two backends. */
export class HaProxy {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
  ) {}

  /** @param backends their URLs */
  static async start(program: string, [a, b]: readonly [string, string]): Promise<HaProxy> {
    const bind = `127.0.0.1:${await freePort()}`;
    const env = { CAUDEX_BIND: bind, CAUDEX_BACKEND_A: new URL(a).host, CAUDEX_BACKEND_B: new URL(b).host };
    const process = spawn(program, ['-db', '-f', CONFIGURATION], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    const proxy = new HaProxy(`http://${bind}`, process);
    const ended = () => process.exitCode !== null;
    await until('HAProxy answers', async () => ended() || (await fetch(`${proxy.url}/health/ready`)).ok);
    if (ended()) throw new Error(`HAProxy ended with ${process.exitCode}`);
    return proxy;
  }

  async stop(): Promise<void> {
    const ended = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await ended;
  }
}
