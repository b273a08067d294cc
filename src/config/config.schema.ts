import { z } from 'zod';

const ms = z
  .int()
  .min(1)
  .max(86_400_000 * 30);
const count = z.int().min(1);
const port = z.int().min(0).max(65_535);
const httpUrl = z.url({ protocol: /^https?$/, error: 'an http:// or https:// URL is needed' });

/** The exporter adds the path. */
const otlpUrl = httpUrl.refine((url) => !/\/v1\/traces\/*$/.test(url), 'the address without /v1/traces is needed');

const modelName = z.string().min(1);

const share = z.number().min(0).max(1);

/** One URL, or several with commas between them. */
const httpUrls = z
  .string()
  .refine(
    (list) => list.split(',').every((url) => httpUrl.safeParse(url.trim()).success),
    'an http:// or https:// URL is needed, or several with commas between them',
  );

const downstream = z.strictObject({
  url: httpUrls,
  max_retries: z.int().min(1).max(10),
  retry_base_ms: ms,
  timeout_ms: ms,
  failure_threshold: count,
  recovery_timeout_ms: ms,
  breaker: z.strictObject({
    kind: z.enum(['consecutive', 'failure_rate', 'slow_calls']),
    window_ms: ms.min(10),
    min_calls: count,
    failure_rate: share.gt(0),
    slow_call_ms: ms,
  }),
  bulkhead: z.strictObject({ concurrency: count, queue: z.int().min(0), adaptive: z.boolean() }),
  retry_budget: z.strictObject({ ratio: share, reserve: z.number().min(0), refill_per_s: z.number().min(0) }),
  balancing: z.strictObject({
    eject_after: count,
    ejected_ms: ms,
    hedged_share: share,
    resolve_ms: ms.min(100),
  }),
  fault_drill: z.strictObject({
    enabled: z.boolean(),
    latency_ms: z.int().min(0).max(600_000),
    error_rate: share,
    reset_rate: share,
  }),
});

/** The servers behind the backend. Their ports, clients and URL variables are derived from this list. */
export const SERVER_NAMES = ['auth', 'filesystem', 'chroma', 'billing', 'git'] as const;
/** Servers that keep all of their data in a folder. Of several, each has a copy of the data. */
const COPIED: readonly string[] = ['chroma', 'git'];
export const isCopied = (service: string): boolean => COPIED.includes(service);
/** The services that the backend calls, by their names in configuration, status and metrics. */
export const SERVICE_NAMES = [...SERVER_NAMES, 'llm'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];
/** A client and its breaker: one for each service, and for a second model `llm_2`, for a third `llm_3`. */
export type ClientName = ServiceName | `llm_${number}`;

/** The processes. */
export const APP_NAMES = ['backend', ...SERVER_NAMES] as const;
export type AppName = (typeof APP_NAMES)[number];

/** The same schema under each of these names. */
function each<K extends string, S extends z.ZodType>(names: readonly K[], schema: S): Record<K, S> {
  return Object.fromEntries(names.map((name) => [name, schema])) as Record<K, S>;
}

/** How requests to a model's endpoint are made. */
const modelRequest = z.strictObject({
  token_limit: z.enum(['max_tokens', 'max_completion_tokens']),
  reasoning_tokens: count,
  opens_thinking: z.union([z.boolean(), z.literal('auto')], 'true, false or auto is needed'),
  stream_options: z.boolean(),
  temperature: z.number().min(0).max(2).nullable(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']).nullable(),
  body: z.record(z.string(), z.unknown()),
  headers: z.record(z.string(), z.string()),
  /** null: as `proxy` says; `none`: no proxy. */
  proxy: z
    .union([z.literal('none'), httpUrl], 'the http:// or https:// URL of a proxy is needed, or "none"')
    .nullable(),
  ca_file: z.string().min(1).nullable(),
});
export type ModelRequest = z.output<typeof modelRequest>;

/** The settings of the YAML files. Names end in their unit: `_ms` milliseconds, `_bytes` bytes. */
export const configSchema = z.strictObject({
  host: z.string().min(1),
  data_dir: z.string().min(1),
  log: z.strictObject({
    level: z.preprocess(
      (level) => (typeof level === 'string' ? level.toLowerCase() : level),
      z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    ),
    format: z.enum(['json', 'pretty']),
  }),
  check_at_start: z.boolean(),
  ports: z.strictObject(each(APP_NAMES, port)),
  http: z.strictObject({
    drain_delay_ms: z.int().min(0).max(600_000),
    shutdown_ms: ms,
    headers_timeout_ms: ms,
    request_timeout_ms: ms,
    max_body_bytes: count,
    max_json_bytes: count,
    cors_origins: z.array(
      z.union(
        [z.literal('*'), z.string().regex(/^https?:\/\/[^/\s]+$/)],
        'an origin like https://app.example.com is needed, or "*"',
      ),
    ),
    trusted_proxies: z.array(
      z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], 'an address or a range like 10.0.0.0/8 is needed'),
    ),
  }),
  proxy: z.strictObject({ http: httpUrl.nullable(), https: httpUrl.nullable(), no_proxy: z.string() }),
  downstream: z.strictObject({
    ...each(SERVER_NAMES, downstream),
    llm: downstream.extend({ url: httpUrl.nullable(), idle_timeout_ms: ms, stream_timeout_ms: ms }),
  }),
  /** Services whose fault drill may run in production. */
  fault_drills_in_production: z.array(z.enum(SERVICE_NAMES)),
  metrics: z.strictObject({ enabled: z.boolean(), public: z.boolean() }),
  tracing: z.strictObject({ otlp_url: otlpUrl.nullable(), sample_ratio: share }),
  deadlines: z.strictObject({ default_ms: ms, chat_ms: ms, upload_ms: ms, floor_ms: ms }),
  patience: z.strictObject({
    project_ms: ms,
    billing_ms: ms,
    commit_ms: ms,
    graph_ms: ms,
    neo4j_ms: ms,
    redis_ms: ms,
    reader_ms: ms,
  }),
  audit: z.strictObject({ retention_ms: z.int().min(172_800_000) }),
  account: z.strictObject({ import_max_bytes: z.int().min(1) }),
  session: z.strictObject({ fresh_ms: z.int().min(0), grace_ms: z.int().min(0) }),
  chat: z.strictObject({
    context_budget_ms: ms,
    passages: count.max(50),
    max_message_bytes: count,
    history_tokens: z.int().min(0),
    answer_tokens: count,
    answer_max_bytes: count,
    first_words_ms: ms,
    thinking_ms: ms,
    reserve_credits: z.int().min(0),
    max_unmetered: count,
    save_wait_ms: z.int().min(0),
    resume_ms: ms,
    detached_ms: z.int().min(0),
    client_detached_ms: z.int().min(0),
    heartbeat_ms: ms,
    max_streams_per_user: count,
  }),
  search: z.strictObject({
    context_budget_ms: ms,
    fulltext_after_ms: z.int().min(0),
    graph_budget_ms: z.int().min(0),
    default_limit: count,
    max_limit: count.max(1000),
  }),
  cache: z.strictObject({
    max_bytes: count,
    ttl_ms: ms,
    answers: z.boolean(),
  }),
  redis: z.strictObject({
    url: z
      .url({ protocol: /^rediss?$/, error: 'a redis:// or rediss:// URL is needed' })
      .refine((url) => new URL(url).password === '', 'its password belongs in REDIS_PASSWORD')
      .nullable(),
    breaker_hints: z.strictObject({ enabled: z.boolean(), probe_delay_ms: ms }),
  }),
  documents: z.strictObject({
    index_wait_ms: z.int().min(0),
    compare_ms: ms,
    trash_days: z.int().min(0).max(3650),
    archive: z.strictObject({ max_files: count, max_bytes: count, max_ratio: count }),
  }),
  outbox: z.strictObject({ retry_base_ms: ms, retry_max_ms: ms, max_attempts: count, max_bytes: count }),
  quotas: z.strictObject({ projects: count, documents: count, bytes: count, conversations: count }),
  rate_limit: z.strictObject({ enabled: z.boolean(), per_user: count, per_address: count, sign_in: count }),
  shedding: z.strictObject({ max_concurrency: count, max_event_loop_delay_ms: ms }),
  auth: z.strictObject({
    provider: z.enum(['local', 'firebase', 'oidc']),
    token_ttl_ms: ms,
    operators: z.array(z.email()),
    registration: z.enum(['open', 'invited', 'closed']),
    invitation_ttl_ms: ms.min(60_000).max(90 * 24 * 60 * 60 * 1000),
    min_password_length: z.int().min(8).max(128),
    key_rotation_ms: ms,
    fresh_session_ms: ms,
    scrypt_n: z
      .int()
      .min(1024)
      .max(2 ** 20)
      .refine((n) => Number.isInteger(Math.log2(n)), 'a power of two is needed'),
    demo_account: z.boolean(),
    require_verified_email: z.boolean(),
    operator_claim: z.string().min(1).nullable(),
    operator_value: z.string().min(1),
    outside: z.strictObject({ timeout_ms: ms, failure_threshold: count, recovery_timeout_ms: ms }),
    firebase: z.strictObject({
      project_id: z
        .string()
        .regex(/^[a-z0-9-]{1,64}$/, 'the id of a project is needed: letters, digits and hyphens')
        .nullable(),
      keys_url: httpUrl,
      sign_in_url: httpUrl,
      token_url: httpUrl,
      recheck_ms: ms.min(1000).nullable(),
      emulator_host: z
        .string()
        .regex(/^[^/\s]+:\d+$/, 'a host and a port like localhost:9099 are needed')
        .nullable(),
    }),
    oidc: z.strictObject({
      issuer: httpUrl.nullable(),
      audience: z.string().min(1).nullable(),
      client_id: z.string().min(1).max(256).nullable(),
    }),
  }),
  storage: z.strictObject({
    documents: z.enum(['disk', 's3']),
    documents_dir: z.string().min(1).nullable(),
    s3: z.strictObject({
      endpoint: httpUrl.nullable(),
      region: z.string().min(1),
      bucket: z.string().min(3).max(63).nullable(),
      /** A folder, so that it and the names of objects do not run together. */
      prefix: z
        .string()
        .max(200)
        .regex(/^(?:[A-Za-z0-9._-]+\/)*$/, 'a folder that ends in /, such as caudex/'),
      timeout_ms: ms,
    }),
    postgres: z.strictObject({
      max_connections: count.max(1000),
      connect_timeout_ms: ms,
      statement_timeout_ms: ms,
      lock_timeout_ms: ms,
      idle_ms: ms,
      replica_beat_ms: ms,
      replica_timeout_ms: ms,
    }),
  }),
  filesystem: z.strictObject({
    extraction: z.strictObject({ timeout_ms: ms, max_memory_bytes: count.min(134_217_728) }),
    ocr: z.strictObject({
      enabled: z.boolean(),
      languages: z
        .array(z.string().regex(/^[a-z]{3}(?:_[a-z]+)*$/, 'a code of Tesseract such as eng or chi_sim'))
        .min(1),
      concurrent: count.min(1),
      page_timeout_ms: ms,
      max_memory_bytes: count.min(268_435_456),
    }),
  }),
  chroma: z.strictObject({
    chromadb_url: httpUrl.nullable(),
    embeddings: z.strictObject({
      url: httpUrl.nullable(),
      model: z.string().min(1).nullable(),
      query_prefix: z.string().nullable(),
      passage_prefix: z.string().nullable(),
      query_timeout_ms: ms,
      model_dir: z.string().min(1).nullable(),
      download: z.strictObject({
        model: z
          .string()
          .regex(/^[\w.-]+\/[\w.-]+$/, 'the name of a model on the hub is needed: owner/name')
          .nullable(),
        hub_url: httpUrl,
      }),
    }),
    reranker: z.strictObject({
      url: httpUrl.nullable(),
      model: z.string().min(1).nullable(),
      model_dir: z.string().min(1).nullable(),
    }),
  }),
  billing: z.strictObject({ starting_credits: z.int().min(0).max(1_000_000_000), reservation_ttl_ms: ms }),
  git: z.strictObject({
    graph_url: z
      .url({ protocol: /^(bolt|neo4j)(\+s{1,2}c?)?$/, error: 'a bolt:// or neo4j:// URL is needed' })
      .nullable(),
    graph_user: z.string().min(1),
    import_allowed: z.array(
      z.string().refine((source) => source.startsWith('/') || /^https:\/\/[^/@]+(\/|$)/.test(source), {
        error: 'an absolute path or an https:// URL without a user is needed',
      }),
    ),
    import_max_file_bytes: count,
    import_timeout_ms: ms,
  }),
  llm: z.strictObject({
    model: modelName.nullable(),
    request: modelRequest,
    fallbacks: z.array(z.strictObject({ url: httpUrl, model: modelName, request: modelRequest.partial().optional() })),
  }),
});

const secret = z.string().optional();

/** The settings that only the environment may set. */
export const secretsSchema = z.strictObject({
  internal_service_token: z.string(),
  /** Accepted besides the current token, so that it can be rotated without downtime. */
  internal_service_token_previous: secret,
  /** One for each model, or one for all; an empty one where the model needs none. */
  llm_api_keys: z.array(z.string()),
  embeddings_api_key: secret,
  reranker_api_key: secret,
  chromadb_token: secret,
  graph_password: secret,
  redis_password: secret,
  firebase_api_key: secret,
  database_url: secret,
  /** Without these two the AWS client's own sources of credentials are used, such as a role of the pod. */
  s3_access_key_id: secret,
  s3_secret_access_key: secret,
});

export type FileConfig = z.output<typeof configSchema>;
export type Secrets = z.output<typeof secretsSchema>;
export type Environment = 'development' | 'test' | 'production';

export type Config = Readonly<
  FileConfig & {
    environment: Environment;
    /** `PORT`: the port of the one app in this process; null: the app's own from `ports`. */
    port: number | null;
    secrets: Readonly<Secrets>;
  }
>;
/** The settings of one client; the limits of streams only where there are streams. */
export type DownstreamSettings = Omit<z.output<typeof downstream>, 'url'> & {
  url: string | null;
  idle_timeout_ms?: number;
  stream_timeout_ms?: number;
};
/** The way to places outside. */
export type ProxySettings = FileConfig['proxy'];
