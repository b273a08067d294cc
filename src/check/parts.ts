import { type AppName, type Config, SERVER_NAMES } from '../config/config.schema.js';
import { keyOf, modelNames, requestOf, settingsOf } from '../config/llm-models.js';
import { routeTo } from '../resilience/wire/outside.js';
import { urlsOf } from '../resilience/wire/endpoints.js';
import { postgresSettings } from '../storage/postgres/settings.js';
import * as probes from './probes.js';

/** A service, store or endpoint that the configuration names and that must answer. */
export interface Part {
  name: string;
  address: string;
  /** The variable or setting that says where it is. */
  setting: string;
  probe: probes.Probe;
  /** Whether the probe takes much memory and time; it is left out at the start of a process. */
  isCostly?: boolean;
}

/** Every part that is configured. Embedded defaults are part of a server and not listed. */
export function partsOf(config: Config, timeoutMs: number): Part[] {
  return [
    ...servers(config),
    ...identityProvider(config),
    ...models(config),
    ...search(config),
    ...stores(config, timeoutMs),
    ...documents(config),
  ];
}

/** The processes that use each part; the models and the servers are used by the backend. */
const USERS: Readonly<Record<string, readonly AppName[]>> = {
  backend: [],
  'firebase keys': ['auth'],
  'oidc issuer': ['auth'],
  chromadb: ['chroma'],
  embeddings: ['chroma'],
  reranker: ['chroma'],
  postgresql: ['backend', 'auth', 'billing', 'filesystem'],
  neo4j: ['git'],
  documents: ['filesystem'],
};

const BACKEND_ALONE: readonly AppName[] = ['backend'];

/** The configured parts that one process uses and that are probed at little cost. */
export function partsUsedBy(app: AppName, config: Config, timeoutMs: number): Part[] {
  return partsOf(config, timeoutMs).filter(
    ({ name, isCostly }) => isCostly !== true && (name === 'collector' || (USERS[name] ?? BACKEND_ALONE).includes(app)),
  );
}

function servers(config: Config): Part[] {
  const backend = `http://localhost:${config.port ?? config.ports.backend}`;
  return [
    { name: 'backend', address: backend, setting: 'PORT', probe: probes.backend(backend) },
    ...SERVER_NAMES.flatMap((name) =>
      urlsOf(config.downstream[name].url).map((url) => {
        const probe = probes.server(url, config.secrets.internal_service_token);
        return { name, address: url, setting: `${name.toUpperCase()}_SERVER_URL`, probe };
      }),
    ),
  ];
}

function identityProvider({ auth: { provider, firebase, oidc } }: Config): Part[] {
  if (provider === 'firebase') {
    const address = firebase.keys_url;
    return [{ name: 'firebase keys', address, setting: 'auth.firebase.keys_url', probe: probes.document(address) }];
  }
  if (provider === 'local' || oidc.issuer === null) return [];
  const probe = probes.document(`${oidc.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  return [{ name: 'oidc issuer', address: oidc.issuer, setting: 'OIDC_ISSUER', probe }];
}

function documents({ storage, secrets }: Config): Part[] {
  if (storage.documents !== 's3') return [];
  const address = `${storage.s3.endpoint ?? `s3 (${storage.s3.region})`}/${storage.s3.bucket}`;
  return [{ name: 'documents', address, setting: 'storage.s3', probe: probes.bucket(storage.s3, secrets) }];
}

function models(config: Config): Part[] {
  return modelNames(config).flatMap((name, index) => {
    const { url } = settingsOf(config, name);
    const model = index === 0 ? config.llm.model : config.llm.fallbacks[index - 1]?.model;
    if (url === null || model === null || model === undefined) return [];
    const { headers } = requestOf(config, name);
    const probe = probes.model(url, model, { key: keyOf(config, name), headers, route: routeTo(config, name) });
    return [{ name, address: url, setting: 'LLM_BASE_URL', probe }];
  });
}

function search({ chroma: { chromadb_url, embeddings, reranker }, secrets }: Config): Part[] {
  const parts: Part[] = [];
  if (chromadb_url !== null) {
    const probe = probes.chromadb(chromadb_url, secrets.chromadb_token);
    parts.push({ name: 'chromadb', address: chromadb_url, setting: 'CHROMADB_URL', probe });
  }
  if (embeddings.url !== null) {
    const probe = probes.embeddings(embeddings.url, embeddings.model, secrets.embeddings_api_key);
    parts.push({ name: 'embeddings', address: embeddings.url, setting: 'EMBEDDINGS_BASE_URL', probe });
  }
  if (embeddings.model_dir !== null) {
    const address = embeddings.model_dir;
    const probe = probes.modelFolder(address);
    parts.push({ name: 'embeddings', address, setting: 'EMBEDDINGS_MODEL_DIR', probe, isCostly: true });
  }
  if (reranker.url !== null) {
    const probe = probes.reranker(reranker.url, reranker.model, secrets.reranker_api_key);
    parts.push({ name: 'reranker', address: reranker.url, setting: 'chroma.reranker.url', probe });
  }
  return parts;
}

function stores(config: Config, timeoutMs: number): Part[] {
  const { redis, git, tracing, secrets } = config;
  const parts: Part[] = [];
  const postgres = postgresSettings(config);
  if (postgres !== undefined) {
    const probe = probes.postgres(postgres);
    parts.push({ name: 'postgresql', address: postgres.url, setting: 'DATABASE_URL', probe });
  }
  if (redis.url !== null) {
    const probe = probes.redis(redis.url, secrets.redis_password);
    parts.push({ name: 'redis', address: redis.url, setting: 'REDIS_URL', probe });
  }
  if (git.graph_url !== null) {
    const probe = probes.neo4jGraph(git.graph_url, git.graph_user, secrets.graph_password, timeoutMs);
    parts.push({ name: 'neo4j', address: git.graph_url, setting: 'GRAPH_SERVER_URL', probe });
  }
  if (tracing.otlp_url !== null) {
    const probe = probes.collector(tracing.otlp_url);
    parts.push({ name: 'collector', address: tracing.otlp_url, setting: 'OTEL_EXPORTER_OTLP_ENDPOINT', probe });
  }
  return parts;
}
