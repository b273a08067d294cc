import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { loadConfig, SAMPLE_SERVICE_TOKEN } from '../src/config/config.loader.js';
import type { AppName } from '../src/config/config.schema.js';
import { HEADER } from '../src/contract/endpoint.js';
import { type AppModule, startServer } from '../src/http/server.js';

export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

interface CallOptions {
  user?: string;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** null: the call carries no internal token. */
  token?: string | null;
}

export interface ServerUnderTest {
  readonly app: NestFastifyApplication;
  readonly url: string;
  readonly dataDir: string;
  /** The internal token. */
  readonly token: string;
  call(method: string, path: string, options: CallOptions): Promise<Answer>;
  close(): Promise<void>;
}

/**
 * Starts one of the processes' servers in this process, on a free port and a data folder of its own (or the one given,
 * which is then left as it is). `settings` are variables as in the environment.
 */
export async function startForTest(
  name: AppName,
  module: AppModule,
  settings: Record<string, string> = {},
): Promise<ServerUnderTest> {
  const dataDir = settings['DATA_DIR'] ?? mkdtempSync(join(tmpdir(), `caudex-${name}-`));
  const env = { NODE_ENV: 'test', PORT: '0', LOG_LEVEL: 'silent', DATA_DIR: dataDir, ...settings };
  const config = loadConfig(env, join(import.meta.dirname, '../config'));
  const server = await startServer(name, module, config);
  const url = `http://127.0.0.1:${server.port}`;
  return {
    app: server.app,
    url,
    dataDir,
    token: SAMPLE_SERVICE_TOKEN,
    async call(method, path, { user, body, headers, token = SAMPLE_SERVICE_TOKEN }) {
      const response = await fetch(url + path, {
        method,
        headers: {
          ...(token === null ? {} : { [HEADER.internalToken]: token }),
          ...(user === undefined ? {} : { [HEADER.userId]: user }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    async close() {
      await server.close();
      if (settings['DATA_DIR'] === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
