import { createClient } from '@redis/client';
import neo4j from 'neo4j-driver';
import { type Dispatcher, fetch } from 'undici';
import { z } from 'zod';
import type { Config } from '../config/config.schema.js';
import { HEADER } from '../contract/endpoint.js';
import { LocalModel } from '../downstream/chroma/server/embedding/local.model.js';
import { readModelFolder } from '../downstream/chroma/server/inference/model-folder.js';
import { POSTGRES_PARTS } from '../migrate/copied-parts.js';
import { Postgres } from '../storage/postgres/postgres.js';
import { refusalKind } from '../resilience/report/model-refusal.js';
import { refusalOf } from '../resilience/wire/answer.js';
import { dispatcherTo, type Route } from '../resilience/wire/outside.js';
import type { PostgresSettings } from '../storage/postgres/settings.js';

/** Ends with a short note for the operator, or throws an Error that says what is wrong. */
export type Probe = (signal: AbortSignal) => Promise<string>;

/** A fault caused by another setting than the address. */
export class WrongSetting extends Error {
  constructor(
    message: string,
    readonly setting: string,
  ) {
    super(message);
  }
}

interface Call {
  method?: 'GET' | 'POST';
  key?: string | undefined;
  /** The variable or setting that holds the key. */
  keySetting?: string;
  headers?: Record<string, string>;
  body?: unknown;
  /** undefined: the connections of this process. */
  dispatcher?: Dispatcher;
}

/** The status and the text of an answer. @throws WrongSetting where the key is refused */
async function call(url: string, signal: AbortSignal, asked: Call = {}) {
  const { method = 'GET', key, keySetting, headers, body, dispatcher } = asked;
  const response = await fetch(url, {
    method,
    signal,
    ...(dispatcher === undefined ? {} : { dispatcher }),
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const { status } = response;
  const refused = status === 401 || status === 403;
  if (refused && keySetting !== undefined) {
    throw new WrongSetting(
      key === undefined ? `asks for a key (${status})` : `refuses the key (${status})`,
      keySetting,
    );
  }
  return { status, text: await response.text() };
}

const below = (base: string, path: string) => `${base.replace(/(?<!\/)\/+$/, '')}/${path}`;

/** One of our own servers: checks that it is ready and accepts our internal token, which every path but its probes needs. */
export function server(url: string, token: string): Probe {
  return async (signal) => {
    const ready = await call(below(url, 'health/ready'), signal);
    if (ready.status !== 200) throw new Error(`is not ready (status ${ready.status})`);
    const { status } = await call(below(url, ''), signal, { headers: { [HEADER.internalToken]: token } });
    if (status === 401) throw new WrongSetting('refuses the internal token', 'INTERNAL_SERVICE_TOKEN');
    return 'ready';
  };
}

/** The backend asks for no internal token. */
export function backend(url: string): Probe {
  return async (signal) => {
    const { status } = await call(below(url, 'health/ready'), signal);
    if (status !== 200) throw new Error(`is not ready (status ${status})`);
    return 'ready';
  };
}

export function chromadb(url: string, key: string | undefined): Probe {
  return async (signal) => {
    const answer = await call(below(url, 'api/v2/auth/identity'), signal, { key, keySetting: 'CHROMADB_TOKEN' });
    if (answer.status !== 200) throw new Error(`answers ${answer.status}: it is no ChromaDB with the API v2`);
    return 'answers';
  };
}

/** The limit of the whole probe is shorter. */
const CONNECT_MS = 10_000;
const modelList = z.object({ data: z.array(z.object({ id: z.string() })) });

interface ModelAccess {
  key: string | undefined;
  /** Of each request, for instance with a key under another name. */
  headers: Record<string, string>;
  route: Route;
}

/** Reaches the endpoint in the way in which chats do, and reads its list of models, as far as it has one. */
async function listModels(url: string, { key, headers, route }: ModelAccess, signal: AbortSignal) {
  const dispatcher = dispatcherTo(new URL(url).origin, CONNECT_MS, route);
  const asked: Call = { key, keySetting: 'LLM_API_KEY', headers, dispatcher };
  try {
    const answer = await call(listOf(url), signal, asked);
    const isBare = answer.status === 404 && new URL(url).pathname === '/';
    return isBare ? await call(listOf(below(url, 'v1')), signal, asked) : answer;
  } finally {
    await dispatcher.destroy();
  }
}

/** An endpoint without a list of models counts as reachable: asking the model itself would cost tokens. */
export function model(url: string, name: string, access: ModelAccess): Probe {
  return async (signal) => {
    const asked = await listModels(url, access, signal);
    if (asked.status >= 500) throw new Error(`answers ${asked.status}`);
    const refused = refusalOf('llm', { status: asked.status, headers: {}, body: Buffer.from(asked.text) }, '');
    // Gemini and xAI answer 400 to a wrong key.
    const isOfKey = asked.status === 400 || asked.status === 402;
    if (isOfKey && refusalKind(refused) === 'configuration') throw new WrongSetting(refused.message, 'LLM_API_KEY');
    const listed = asked.status === 200 ? modelList.safeParse(parsed(asked.text)) : undefined;
    if (listed?.success !== true) return 'answers; it has no list of models';
    return listed.data.data.some(({ id }) => id === name) ? `has ${name}` : `answers; it does not list ${name}`;
  };
}

/** The list of models beside a base address, or beside the whole URL of the completions; with the query of either. */
function listOf(base: string): string {
  const url = new URL(base);
  url.pathname = below(url.pathname.replace(/\/chat\/completions\/?$/, ''), 'models');
  return url.href;
}

export function embeddings(url: string, name: string | null, key: string | undefined): Probe {
  return async (signal) => {
    const body = { model: name, input: ['check'] };
    const keySetting = 'EMBEDDINGS_API_KEY';
    const { status, text } = await call(below(url, 'embeddings'), signal, { method: 'POST', key, keySetting, body });
    const found = z
      .object({ data: z.array(z.object({ embedding: z.array(z.number()) })).min(1) })
      .safeParse(parsed(text));
    if (status === 200 && found.success) return `${found.data.data[0]?.embedding.length} dimensions`;
    throw new WrongSetting(`answers ${status} without a vector: ${excerpt(text)}`, 'EMBEDDINGS_MODEL');
  };
}

/** The model is loaded, and given one word. */
export function modelFolder(dir: string): Probe {
  return async (signal) => {
    const model = new LocalModel(readModelFolder(dir));
    try {
      const [vector] = await model.vectors(['check'], { urgent: true, signal });
      return `${vector?.length} dimensions`;
    } finally {
      await model.end();
    }
  };
}

export function reranker(url: string, name: string | null, key: string | undefined): Probe {
  return async (signal) => {
    const body = { model: name, query: 'check', documents: ['check'] };
    const keySetting = 'RERANKER_API_KEY';
    const { status, text } = await call(below(url, 'rerank'), signal, { method: 'POST', key, keySetting, body });
    if (status === 200) return 'answers';
    throw new WrongSetting(`answers ${status}: ${excerpt(text)}`, 'chroma.reranker.model');
  };
}

export function redis(url: string, password: string | undefined): Probe {
  return async (signal) => {
    const client = createClient({
      url,
      ...(password === undefined ? {} : { password }),
      socket: { reconnectStrategy: false },
    });
    client.on('error', () => undefined);
    signal.addEventListener('abort', () => client.destroy());
    try {
      await client.connect();
      await client.ping();
      return 'answers';
    } catch (error) {
      if (/NOAUTH|WRONGPASS|AUTH/.test(String(error))) throw new WrongSetting(String(error), 'REDIS_PASSWORD');
      throw error;
    } finally {
      if (client.isOpen) client.destroy();
    }
  };
}

export function neo4jGraph(url: string, user: string, password: string | undefined, timeoutMs: number): Probe {
  return async () => {
    const credentials = password === undefined ? undefined : neo4j.auth.basic(user, password);
    const driver = neo4j.driver(url, credentials, {
      connectionTimeout: timeoutMs,
      connectionAcquisitionTimeout: timeoutMs,
      maxTransactionRetryTime: 0,
    });
    try {
      await driver.getServerInfo();
      return 'answers';
    } catch (error) {
      const refused = (error as { code?: string }).code?.startsWith('Neo.ClientError.Security') === true;
      throw refused ? new WrongSetting((error as Error).message, 'GRAPH_PASSWORD') : error;
    } finally {
      await driver.close();
    }
  };
}

/** Any address that must answer 200 with JSON: published keys, a discovery document. */
export function document(url: string): Probe {
  return async (signal) => {
    const { status, text } = await call(url, signal);
    if (status !== 200 || parsed(text) === undefined) throw new Error(`answers ${status}: ${excerpt(text)}`);
    return 'answers';
  };
}

export function collector(url: string): Probe {
  return async (signal) => {
    const { status } = await call(below(url, 'v1/traces'), signal, { method: 'POST', body: { resourceSpans: [] } });
    if (status >= 300) throw new Error(`answers ${status} to an empty list of spans`);
    return 'answers';
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const excerpt = (text: string) => (text.trim() === '' ? 'nothing' : JSON.stringify(text.trim().slice(0, 80)));

export function bucket(settings: Config['storage']['s3'], secrets: Config['secrets']): Probe {
  return async () => {
    const { Bucket } = await import('../downstream/filesystem/server/files/bucket.js');
    const opened = new Bucket(settings, secrets);
    try {
      const state = await opened.check();
      if (state === 'missing') throw new WrongSetting('there is no such bucket', 'storage.s3.bucket');
      if (state === 'forbidden') throw new WrongSetting('refuses the credentials', 'S3_ACCESS_KEY_ID');
      return 'answers';
    } finally {
      opened.close();
    }
  };
}

/** PostgreSQL, whose user must be able to make the schemas of the processes, or to use them. */
export function postgres(settings: PostgresSettings): Probe {
  return async () => {
    const db = new Postgres({ ...settings, max_connections: 1 }, 'public', () => undefined);
    try {
      const { rows } = await db.read<{ version: string; missing: string[] }>(
        `SELECT current_setting('server_version') AS version, ARRAY(
           SELECT name FROM unnest($1::text[]) n(name)
           WHERE CASE WHEN to_regnamespace(name) IS NULL THEN NOT has_database_privilege(current_database(), 'CREATE')
             ELSE NOT has_schema_privilege(name, 'CREATE') END
         ) AS missing`,
        [POSTGRES_PARTS.map(({ part }) => part.namespace)],
      );
      const { version = '', missing = [] } = rows[0] ?? {};
      if (missing.length > 0) throw new Error(`its user may not make tables in the schemas ${missing.join(', ')}`);
      return `PostgreSQL ${version}`;
    } finally {
      await db.close();
    }
  };
}
