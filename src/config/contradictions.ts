import { existsSync } from 'node:fs';
import { type Environment, type FileConfig, SERVICE_NAMES } from './config.schema.js';

/** OWASP's Password Storage Cheat Sheet: scrypt with N = 2^17, r = 8, p = 1. */
const PRODUCTION_SCRYPT_N = 2 ** 17;

/** Settings that are valid one by one but not together, one line each. */
export function contradictions(config: FileConfig, environment: Environment): string[] {
  const problems = SERVICE_NAMES.flatMap((name) => ofService(config, name, environment));
  if (environment === 'production' && config.auth.demo_account) {
    problems.push('auth.demo_account: true is refused in production: everybody knows its password');
  }
  if (environment === 'production' && config.auth.scrypt_n < PRODUCTION_SCRYPT_N) {
    problems.push(
      `auth.scrypt_n: ${config.auth.scrypt_n} is refused in production: at least ${PRODUCTION_SCRYPT_N} is needed`,
    );
  }
  problems.push(...ofIdentities(config.auth, environment));
  if (config.search.default_limit > config.search.max_limit) {
    problems.push(
      `search.default_limit: ${config.search.default_limit} is refused: at most search.max_limit (${config.search.max_limit})`,
    );
  }
  if (config.chat.context_budget_ms >= config.deadlines.chat_ms) {
    problems.push(
      `chat.context_budget_ms: ${config.chat.context_budget_ms} is refused: it must end before deadlines.chat_ms (${config.deadlines.chat_ms})`,
    );
  }
  for (const [path, file] of caFiles(config)) {
    if (!existsSync(file)) problems.push(`${path}: "${file}" is refused: there is no such file`);
  }
  if (config.downstream.llm.url !== null && config.llm.model === null) {
    problems.push('llm.model: missing; LLM_BASE_URL names an endpoint, LLM_MODEL must say which model to ask there');
  }
  if (config.chroma.embeddings.url !== null && config.chroma.embeddings.model === null) {
    problems.push(
      'chroma.embeddings.model: missing; EMBEDDINGS_BASE_URL names an endpoint, EMBEDDINGS_MODEL must say which model',
    );
  }
  if (config.storage.documents === 's3' && config.storage.s3.bucket === null) {
    problems.push('storage.s3.bucket: missing; storage.documents is s3, so it must name a bucket');
  }
  const { replica_beat_ms, replica_timeout_ms, connect_timeout_ms } = config.storage.postgres;
  // A beat waits at most that long for a connection, and a few may be late.
  if (replica_timeout_ms < 3 * (replica_beat_ms + connect_timeout_ms)) {
    problems.push(
      `storage.postgres.replica_timeout_ms: ${replica_timeout_ms} is refused: at least three times replica_beat_ms + connect_timeout_ms (${3 * (replica_beat_ms + connect_timeout_ms)}), or living backends count as dead`,
    );
  }
  problems.push(...ofSearchModels(config.chroma));
  return problems;
}

function ofSearchModels({ embeddings, reranker }: FileConfig['chroma']): string[] {
  const problems: string[] = [];
  if (embeddings.url !== null && embeddings.model_dir !== null) {
    problems.push(
      'chroma.embeddings.model_dir: refused beside chroma.embeddings.url; unset EMBEDDINGS_MODEL_DIR or EMBEDDINGS_BASE_URL',
    );
  }
  if (reranker.url !== null && reranker.model_dir !== null) {
    problems.push('chroma.reranker.model_dir: refused beside chroma.reranker.url; one of the two must be null');
  }
  return problems;
}

function caFiles({ llm }: FileConfig): [path: string, file: string][] {
  const own: [string, string | null | undefined][] = [
    ['llm.request', llm.request.ca_file],
    ...llm.fallbacks.map(({ request }, index): [string, string | null | undefined] => {
      return [`llm.fallbacks.${index}.request`, request?.ca_file];
    }),
  ];
  return own.flatMap(([path, file]) => (file ? [[`${path}.ca_file`, file]] : []));
}

function ofIdentities({ provider, firebase, oidc, ...auth }: FileConfig['auth'], environment: Environment): string[] {
  const problems: string[] = [];
  if (provider === 'firebase' && firebase.project_id === null) {
    problems.push(
      'auth.firebase.project_id: missing; auth.provider is firebase, FIREBASE_PROJECT_ID must name a project',
    );
  }
  for (const name of ['issuer', 'audience'] as const) {
    if (provider !== 'oidc' || oidc[name] !== null) continue;
    problems.push(`auth.oidc.${name}: missing; auth.provider is oidc, OIDC_${name.toUpperCase()} must name it`);
  }
  if (provider !== 'local' && auth.operators.length > 0) {
    problems.push(
      `auth.operators: refused with auth.provider ${provider}, where nobody checks who owns an address; set auth.operator_claim`,
    );
  }
  if (provider !== 'local' && auth.demo_account) {
    problems.push(`auth.demo_account: true is refused with auth.provider ${provider}: its accounts are made there`);
  }
  if (environment !== 'production') return problems;
  if (firebase.emulator_host !== null) {
    problems.push(
      `auth.firebase.emulator_host: "${firebase.emulator_host}" is refused in production: the emulator lets anybody in; unset FIREBASE_AUTH_EMULATOR_HOST`,
    );
  }
  const urls = {
    'firebase.keys_url': firebase.keys_url,
    'firebase.sign_in_url': firebase.sign_in_url,
    'firebase.token_url': firebase.token_url,
    'oidc.issuer': oidc.issuer,
  };
  for (const [name, url] of Object.entries(urls)) {
    if (url?.startsWith('https:') === false) {
      problems.push(`auth.${name}: "${url}" is refused in production: an https:// URL is needed`);
    }
  }
  return problems;
}

function ofService(config: FileConfig, name: (typeof SERVICE_NAMES)[number], environment: Environment): string[] {
  const problems: string[] = [];
  const settings = config.downstream[name];
  const path = `downstream.${name}`;
  const deadline = name === 'llm' ? 'chat_ms' : 'default_ms';
  const deadlineMs = config.deadlines[deadline];
  if (settings.timeout_ms > deadlineMs) {
    problems.push(
      `${path}.timeout_ms: ${settings.timeout_ms} is refused: at most deadlines.${deadline} (${deadlineMs}), or it never runs out`,
    );
  }
  const { breaker, fault_drill } = settings;
  if (breaker.kind === 'slow_calls' && breaker.slow_call_ms >= settings.timeout_ms) {
    problems.push(
      `${path}.breaker.slow_call_ms: ${breaker.slow_call_ms} is refused: it must be below ${path}.timeout_ms (${settings.timeout_ms})`,
    );
  }
  if (fault_drill.error_rate + fault_drill.reset_rate > 1) {
    problems.push(
      `${path}.fault_drill.error_rate: ${fault_drill.error_rate} is refused: with reset_rate (${fault_drill.reset_rate}) it may make 1 at most`,
    );
  }
  if (environment === 'production' && fault_drill.enabled && !config.fault_drills_in_production.includes(name)) {
    problems.push(
      `${path}.fault_drill.enabled: true is refused in production unless fault_drills_in_production names ${name}`,
    );
  }
  return problems;
}
