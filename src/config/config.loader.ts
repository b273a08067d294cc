import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import './plain-messages.js';
import { contradictions } from './contradictions.js';
import { spreadDownstreamDefaults } from './downstream-defaults.js';
import { keysWithoutModel, listed, llmSettings } from './llm-models.js';
import { assign, isTree, lookUp, merge, type Tree } from './tree.js';
import { configSchema, secretsSchema, SERVER_NAMES, type Config, type Environment } from './config.schema.js';

type Variables = Readonly<Record<string, string | undefined>>;

/** All faults of the configuration, each with its path; `problems` holds one line for each. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** The secret for development. It is public, so `production` refuses it. */
export const SAMPLE_SERVICE_TOKEN = 'caudex-sample-service-token-for-development-only';
const MIN_TOKEN_LENGTH = 32;
const PREFIX = 'CAUDEX__';

const VARIABLES: Record<string, string> = {
  HOST: 'host',
  DATA_DIR: 'data_dir',
  LOG_LEVEL: 'log.level',
  ...Object.fromEntries(SERVER_NAMES.map((name) => [`${name.toUpperCase()}_SERVER_URL`, `downstream.${name}.url`])),
  FIREBASE_PROJECT_ID: 'auth.firebase.project_id',
  FIREBASE_AUTH_EMULATOR_HOST: 'auth.firebase.emulator_host',
  OIDC_ISSUER: 'auth.oidc.issuer',
  OIDC_AUDIENCE: 'auth.oidc.audience',
  OIDC_CLIENT_ID: 'auth.oidc.client_id',
  CHROMADB_URL: 'chroma.chromadb_url',
  EMBEDDINGS_BASE_URL: 'chroma.embeddings.url',
  EMBEDDINGS_MODEL: 'chroma.embeddings.model',
  EMBEDDINGS_MODEL_DIR: 'chroma.embeddings.model_dir',
  GRAPH_SERVER_URL: 'git.graph_url',
  // The later one counts. The first is its name in earlier releases.
  ...{ CACHE_URL: 'redis.url', REDIS_URL: 'redis.url' },
  OTEL_EXPORTER_OTLP_ENDPOINT: 'tracing.otlp_url',
  // Where both are set, the later one counts: curl knows the first of these in lower case only.
  ...{ HTTP_PROXY: 'proxy.http', HTTPS_PROXY: 'proxy.https', NO_PROXY: 'proxy.no_proxy' },
  ...{ http_proxy: 'proxy.http', https_proxy: 'proxy.https', no_proxy: 'proxy.no_proxy' },
};

/** Separates the password from a URL, because settings are shown to operators and secrets are not. */
function credentialsOf(url: string): { url: string; password: string | undefined } {
  if (!URL.canParse(url) || new URL(url).password === '') return { url, password: undefined };
  const parsed = new URL(url);
  const password = decoded(parsed.password);
  parsed.password = '';
  return { url: parsed.href, password };
}

/** A text in which `%` does not begin an escape stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The folder of the YAML files: `CAUDEX_CONFIG_DIR`, or `config` beside `dist`. */
export function configDir(env: Variables = process.env): string {
  return resolve(env['CAUDEX_CONFIG_DIR'] ?? join(import.meta.dirname, '../../config'));
}

/** The environment for a child process: this process's environment with some variables set. */
export function childEnvironment(over: Record<string, string>): NodeJS.ProcessEnv {
  return { ...process.env, ...over };
}

export function environmentOf(env: Variables = process.env): string {
  const name = env['NODE_ENV'];
  return name === undefined || name === '' ? 'development' : name;
}

/**
 * Reads `default.yaml`, `<NODE_ENV>.yaml` and the environment, in this order of growing precedence.
 * @throws ConfigError naming every fault with its path
 */
export function loadConfig(env: Variables = process.env, dir: string = configDir(env)): Config {
  const problems: string[] = [];
  const environment = environmentOf(env);
  if (!isEnvironment(environment)) {
    throw new ConfigError([`NODE_ENV: "${environment}" is not one of development, test, production`]);
  }

  const tree = merge(
    readYaml(join(dir, 'default.yaml'), true, problems),
    readYaml(join(dir, `${environment}.yaml`), false, problems),
  );
  const set: [variable: string, path: string[], value: unknown][] = llmSettings(env, tree, problems);
  for (const [name, path] of Object.entries(VARIABLES)) {
    const value = env[name];
    if (value === undefined || value === '') continue;
    set.push([name, path.split('.'), path === 'redis.url' ? credentialsOf(value).url : value]);
  }
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || value === undefined) continue;
    const path = name.slice(PREFIX.length).toLowerCase().split('__');
    if (path.some((part) => part === '')) problems.push(`${name}: an empty name stands between its underscores`);
    else set.push([name, path, scalar(value)]);
  }
  const origin = new Map<string, string>();
  for (const [name, path, value] of set) {
    origin.set(path.join('.'), name);
    if (!assign(tree, path, value)) problems.push(`${name}: "${path.join('.')}" does not lead to a setting`);
  }

  const sourceOf = spreadDownstreamDefaults(tree);
  const parsed = configSchema.safeParse(tree);
  if (!parsed.success) problems.push(...new Set(describe(parsed.error, tree, sourceOf, origin)));
  const secrets = secretsSchema.parse({
    internal_service_token:
      secretOf(env, 'INTERNAL_SERVICE_TOKEN') ?? (environment === 'production' ? '' : SAMPLE_SERVICE_TOKEN),
    internal_service_token_previous: secretOf(env, 'INTERNAL_SERVICE_TOKEN_PREVIOUS'),
    llm_api_keys: listed(env['LLM_API_KEY']),
    embeddings_api_key: secretOf(env, 'EMBEDDINGS_API_KEY'),
    reranker_api_key: secretOf(env, 'RERANKER_API_KEY'),
    chromadb_token: secretOf(env, 'CHROMADB_TOKEN'),
    graph_password: secretOf(env, 'GRAPH_PASSWORD'),
    redis_password:
      secretOf(env, 'REDIS_PASSWORD') ??
      secretOf(env, 'CACHE_PASSWORD') ??
      credentialsOf(env['REDIS_URL'] || env['CACHE_URL'] || '').password,
    firebase_api_key: secretOf(env, 'FIREBASE_API_KEY'),
    database_url: secretOf(env, 'DATABASE_URL'),
    s3_access_key_id: secretOf(env, 'S3_ACCESS_KEY_ID'),
    s3_secret_access_key: secretOf(env, 'S3_SECRET_ACCESS_KEY'),
  });
  problems.push(...weakTokens(env, environment), ...wrongDatabaseUrl(secrets.database_url));
  const port = portOf(env['PORT'], problems);
  if (parsed.success) {
    problems.push(...contradictions(parsed.data, environment), ...keysWithoutModel(secrets.llm_api_keys, parsed.data));
    problems.push(...sharedFolderOfOne(parsed.data.storage, secrets.database_url));
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);

  return deepFreeze({
    ...parsed.data,
    data_dir: resolve(parsed.data.data_dir),
    environment,
    port,
    secrets,
  });
}

function isEnvironment(name: string): name is Environment {
  return name === 'development' || name === 'test' || name === 'production';
}

function readYaml(file: string, required: boolean, problems: string[]): Tree {
  if (!existsSync(file)) {
    if (required) problems.push(`${file}: the file is missing`);
    return {};
  }
  try {
    const value: unknown = parseYaml(readFileSync(file, 'utf8'));
    if (value === null) return {};
    if (isTree(value)) return value;
    problems.push(`${file}: a mapping of settings is needed at the top`);
  } catch (error) {
    problems.push(`${file}: ${(error as Error).message.split('\n')[0]}`);
  }
  return {};
}

function scalar(text: string): unknown {
  try {
    return parseYaml(text);
  } catch {
    return text;
  }
}

function describe(
  error: z.ZodError,
  tree: Tree,
  sourceOf: ReturnType<typeof spreadDownstreamDefaults>,
  origin: ReadonlyMap<string, string>,
): string[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const path = sourceOf([...issue.path, key]).join('.');
        return `${path}${from(origin, path)}: there is no such setting`;
      });
    }
    const path = sourceOf(issue.path).join('.');
    const value = lookUp(tree, issue.path);
    if (value === undefined) return `${path}: the setting is missing`;
    const shown = JSON.stringify(value);
    const why = issue.message.startsWith(`${shown} `) ? issue.message : `${shown} is refused: ${issue.message}`;
    return `${path}${from(origin, path)}: ${why}`;
  });
}

function from(origin: ReadonlyMap<string, string>, path: string): string {
  const variable = origin.get(path) ?? origin.get(path.replace(/\.\d+\..*$/, ''));
  return variable === undefined ? '' : ` (from ${variable})`;
}

function portOf(text: string | undefined, problems: string[]): number | null {
  if (text === undefined || text === '') return null;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  problems.push(`PORT: "${text}" is not a port: a whole number from 0 to 65535 is needed`);
  return null;
}

/** The URL holds a password, so it is not shown. */
function wrongDatabaseUrl(url: string | undefined): string[] {
  if (url === undefined || (URL.canParse(url) && /^postgres(?:ql)?:$/.test(new URL(url).protocol))) return [];
  return ['DATABASE_URL: a URL like postgres://user:password@host:5432/database is needed'];
}

function sharedFolderOfOne({ documents_dir }: Config['storage'], databaseUrl: string | undefined): string[] {
  if (documents_dir === null || databaseUrl !== undefined) return [];
  return ['storage.documents_dir: it is for filesystem servers that share DATABASE_URL, which is not set'];
}

function weakTokens(env: Variables, environment: Environment): string[] {
  const problems: string[] = [];
  const current = secretOf(env, 'INTERNAL_SERVICE_TOKEN');
  if (environment === 'production' && current === undefined) {
    problems.push(
      `INTERNAL_SERVICE_TOKEN: missing; production needs a secret of at least ${MIN_TOKEN_LENGTH} characters`,
    );
  }
  for (const name of ['INTERNAL_SERVICE_TOKEN', 'INTERNAL_SERVICE_TOKEN_PREVIOUS']) {
    const token = secretOf(env, name);
    if (token === undefined) continue;
    if (/[^\x21-\x7e]/.test(token)) {
      problems.push(`${name}: visible ASCII characters are needed`);
    } else if (environment === 'production') {
      if (token.length < MIN_TOKEN_LENGTH) {
        problems.push(`${name}: ${token.length} characters are too few; at least ${MIN_TOKEN_LENGTH} are needed`);
      } else if (isSample(token)) {
        problems.push(
          `${name}: this is a sample value; make one of your own, for instance with "openssl rand -hex 32"`,
        );
      }
    }
  }
  return problems;
}

/** An empty secret counts as unset, because compose files and charts set variables to empty values. */
function secretOf(env: Variables, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value.trim() === '' ? undefined : value;
}

function isSample(token: string): boolean {
  return (
    /sample|example|change[-_ ]?me|placeholder|your[-_ ]|secret[-_ ]?here|development/i.test(token) ||
    new Set(token).size < 8
  );
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
