// Measures the backend beside a bare server and a usual gateway: npm run bench
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import axios from 'axios';
import { pino } from 'pino';
import { loadConfig } from '../dist/config/config.loader.js';
import { chromaContract } from '../dist/downstream/chroma/chroma.contract.js';
import { systemClock } from '../dist/resilience/policy/clock.js';
import { HttpTransport } from '../dist/resilience/wire/http-transport.js';
import { ResilientClient } from '../dist/resilience/wire/resilient-client.js';
import { internalHeaders } from '../dist/resilience/wire/wire-headers.js';
import { median, searchRate, searchTimes, type Target, type Rate } from './gateway/load.ts';
import { freePort } from '../test/free-port.ts';
import { Caudex } from '../test/system/caudex.ts';

const CONNECTIONS = 32;
const ROUNDS = 5;
const ROUND_MS = 3000;
const failures: string[] = [];

function report(what: string, value: number, limit: string, good: boolean): void {
  console.log(`${good ? 'ok  ' : 'MISS'} ${what}: ${value.toFixed(2)} (limit ${limit})`);
  if (!good) failures.push(what);
}

const children: ChildProcess[] = [];
async function start(file: string, ...args: string[]): Promise<{ url: string; pid: number }> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'gateway', file), String(port), ...args], {
    stdio: 'inherit',
  });
  children.push(child);
  for (;;) {
    const url = `http://127.0.0.1:${port}`;
    if (await call(url, {}).then(Boolean, (error: unknown) => (error as Error).message.startsWith(url))) {
      return { url, pid: child.pid as number };
    }
    await wait(50);
  }
}

async function call(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Record<string, unknown>> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, unknown>;
}

async function signUp(url: string): Promise<Record<string, string>> {
  const account = { email: 'bench@example.org', password: 'correct horse battery' };
  await call(`${url}/v1/api/auth/register`, account);
  const { token } = await call(`${url}/v1/api/auth/login`, account);
  return { authorization: `Bearer ${String(token)}` };
}

async function throughput(targets: readonly Target[]): Promise<void> {
  for (const target of targets) await searchRate(target, CONNECTIONS, 1500);
  const rates = new Map<string, Rate[]>(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const target of targets) rates.get(target.name)?.push(await searchRate(target, CONNECTIONS, ROUND_MS));
  }
  const medians = (of: (rate: Rate) => number) =>
    [...rates.values()].map((values) => median(values.map(of))) as [number, number, number];
  for (const [name, values] of rates) {
    const list = values.map((value) => `${value.perSecond.toFixed(0)} (${value.perProcessorSecond.toFixed(0)})`);
    console.log(`     ${name}: ${list.join(' ')} requests/s (for each second of its own processor time)`);
  }
  const [ours, peer, raw] = medians(({ perSecond }) => perSecond);
  report('search throughput ÷ peer (Express + axios + opossum)', ours / peer, '≥ 1.2', ours / peer >= 1.2);
  report('search throughput ÷ raw (node:http + undici)', ours / raw, '≥ 0.3', ours / raw >= 0.3);
  const [ourTime, peerTime, rawTime] = medians(({ perProcessorSecond }) => perProcessorSecond);
  console.log(
    `     by processor time, which a busy machine changes less: ${(ourTime / peerTime).toFixed(2)} of peer, ${(ourTime / rawTime).toFixed(2)} of raw`,
  );
}

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

async function memory(target: Target): Promise<void> {
  await searchTimes(target, CONNECTIONS, 10_000);
  const early = residentBytes(target.pid);
  await searchTimes(target, CONNECTIONS, 90_000);
  const late = residentBytes(target.pid);
  console.log(
    `     resident: ${(early / 2 ** 20).toFixed(0)} MiB after 10,000 requests, ${(late / 2 ** 20).toFixed(0)} MiB after 100,000`,
  );
  report('resident memory after 100,000 ÷ after 10,000 requests', late / early, '≤ 1.3', late / early <= 1.3);
}

/** From the model's first token to the first text at the client; the model is a server in this process. */
async function firstToken(): Promise<void> {
  let sentMs = 0;
  const model = createServer((request, reply) => {
    request.resume().on('end', () => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      setTimeout(() => {
        sentMs = performance.now();
        reply.end('data: {"choices":[{"delta":{"content":"Yes."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
      }, 30);
    });
  }).listen(0, '127.0.0.1');
  await once(model, 'listening');
  const llm = `http://127.0.0.1:${(model.address() as AddressInfo).port}/v1`;
  const system = await Caudex.start({ LLM_BASE_URL: llm, LLM_MODEL: 'bench', LOG_LEVEL: 'warn' }, { quick: false });
  try {
    const headers = await signUp(system.url);
    const delays: number[] = [];
    for (let i = 0; i < 60; i++) {
      const answer = await fetch(`${system.url}/v1/api/chat`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ message: `question ${i}`, stream: true }),
      });
      let seen = false;
      for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
        if (!seen && Buffer.from(chunk).includes('text-delta')) {
          seen = true;
          if (i >= 10) delays.push(performance.now() - sentMs);
        }
      }
    }
    report("first token after the model's own, ms (median)", median(delays), '≤ 10', median(delays) <= 10);
  } finally {
    await system.stop();
    model.close();
  }
}

/** One client of a service that answers, and one of a service that is down and whose breaker is open. */
async function rejection(stub: string): Promise<void> {
  const config = loadConfig({ NODE_ENV: 'test' });
  const logger = pino({ level: 'silent' });
  const silent = { logger, info() {}, warn() {}, error() {} };
  const client = (url: string) =>
    new ResilientClient({
      service: 'chroma',
      title: 'Chroma Server',
      settings: { ...config.downstream.chroma, url, max_retries: 1 },
      connect: (settings) => new HttpTransport(axios.create(), { url: settings.url ?? '' }, settings.timeout_ms),
      headers: internalHeaders('token', systemClock),
      sink: silent as never,
    });
  const body = { project_id: 'p', query: 'pears', limit: 5 };
  const ask = (to: ResilientClient) => to.call(chromaContract.query, { body }, { requestId: 'r', userId: 'u' });
  const [healthy, open] = [client(stub), client('http://127.0.0.1:1')];
  for (let i = 0; i < 5; i++) await ask(open).catch(() => undefined);
  const micros = async (times: number, work: () => Promise<unknown>) => {
    const beganMs = performance.now();
    for (let i = 0; i < times; i++) await work();
    return ((performance.now() - beganMs) * 1000) / times;
  };
  const call = () => ask(healthy);
  const reject = () =>
    ask(open).then(
      () => Promise.reject(new Error('the breaker let a call through')),
      () => undefined,
    );
  await micros(2000, call);
  await micros(20_000, reject);
  const rounds = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push((await micros(1000, call)) / (await micros(20_000, reject)));
  const times = median(rounds);
  report('a healthy call ÷ a rejection by an open breaker', times, '≥ 20', times >= 20);
}

const end = () => children.forEach((child) => child.kill());
process.on('exit', end);
const { url: stub } = await start('chroma-stub.ts');
const raw = await start('raw.ts', stub);
const peer = await start('peer.ts', stub);
await rejection(stub);
const system = await Caudex.start({ CHROMA_SERVER_URL: stub, LOG_LEVEL: 'warn' }, { quick: false });
try {
  await system.kill('backend', 'SIGTERM');
  await system.launch('backend');
  const readyMs = system.readyMs('backend');
  report('from start to ready, s', readyMs / 1000, '≤ 3', readyMs <= 3000);
  const headers = await signUp(system.url);
  const { project_id } = await call(`${system.url}/v1/api/projects`, { name: 'bench' }, headers);
  const projectId = String(project_id);
  const ours: Target = { name: 'caudex', url: system.url, pid: system.pid('backend'), headers, projectId };
  await throughput([
    ours,
    { name: 'peer', ...peer, headers: {}, projectId },
    { name: 'raw', ...raw, headers: {}, projectId },
  ]);
  await memory(ours);
} finally {
  await system.stop();
}
await firstToken();
end();
if (failures.length > 0) {
  console.error(`missed: ${failures.join('; ')}`);
  process.exitCode = 1;
}
