import { Pool } from 'undici';
import { processorTimes } from '../process-time.ts';

export interface Target {
  name: string;
  url: string;
  headers: Record<string, string>;
  projectId: string;
  /** Of the gateway. */
  pid: number;
}

export interface Rate {
  perSecond: number;
  /** For each second of the gateway's own processor time, which other work on the machine does not change. */
  perProcessorSecond: number;
}

let asked = 0;

/** Distinct queries on `connections` connections for `ms`. Fails at the first answer that is not valid. */
export async function searchRate(target: Target, connections: number, ms: number): Promise<Rate> {
  const pool = new Pool(target.url, { connections });
  const endMs = performance.now() + ms;
  const beganMs = performance.now();
  const usedMs = ownTime(target.pid);
  let done = 0;
  const worker = async () => {
    while (performance.now() < endMs) {
      await search(pool, target);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  const seconds = (performance.now() - beganMs) / 1000;
  const usedSeconds = (ownTime(target.pid) - usedMs) / 1000;
  await pool.close();
  return { perSecond: done / seconds, perProcessorSecond: done / usedSeconds };
}

const ownTime = (pid: number) => processorTimes([pid])[0]?.own ?? NaN;

/** Sends this number of requests, each after the answer to the one before. */
export async function searchTimes(target: Target, connections: number, times: number): Promise<void> {
  const pool = new Pool(target.url, { connections });
  let left = times;
  const worker = async () => {
    while (left-- > 0) await search(pool, target);
  };
  await Promise.all(Array.from({ length: connections }, worker));
  await pool.close();
}

async function search(pool: Pool, { name, headers, projectId }: Target): Promise<void> {
  const answer = await pool.request({
    method: 'POST',
    path: '/v1/api/search',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: `pears and question ${++asked}`, project_id: projectId, limit: 5 }),
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200 || !text.includes('"degraded":false')) {
    throw new Error(`${name} answered ${answer.statusCode}: ${text.slice(0, 300)}`);
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}
