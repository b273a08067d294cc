import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { z } from 'zod';
import type { SyncSettings } from '../config/sync-settings.js';
import { uploadVersion } from '../contract/extraction-version.js';

/** An answer that would be the same after a repetition. `code` is that of the problem document. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    detail: string,
  ) {
    super(detail);
    this.name = 'Refusal';
  }
}

const PAGE = 1000;
const ATTEMPT_MS = 120_000;
const RETRY_BASE_MS = 500;
const RETRY_MAX_MS = 30_000;
/** The server is unavailable, starting or overloaded: the request is repeated. */
const AWAY = new Set([429, 502, 503, 504]);
/** How often a request that makes the server fail is sent; after that it is given up. */
const MAX_FAULTS = 5;

/** Of the upload: the recognition of a scan gives it a text later, which is no change of the file. */
const versionSchema = z.string().transform(uploadVersion);
const problemSchema = z.object({ detail: z.string() });
const projectsSchema = z.object({ projects: z.array(z.object({ project_id: z.string(), name: z.string() })) });
const listSchema = z.object({
  documents: z.array(z.object({ path: z.string(), version: versionSchema })),
  total: z.number(),
});
const storedSchema = z.object({ path: z.string(), version: versionSchema });
const movedSchema = z.object({ moved: z.array(z.object({ to: z.string(), version: versionSchema })) });
const bulkSchema = z.object({
  documents: z.array(z.object({ path: z.string(), version: versionSchema.optional() })),
});

/**
 * The public API, for one person's key. A request is repeated until the server answers it. An answer from before an outage
 * is no answer here: a list without the newest project would lead to a second one of the same name.
 */
export class CaudexApi {
  constructor(
    readonly settings: SyncSettings,
    /** Called once for each outage. */
    private readonly onAway: (reason: string) => void,
  ) {}

  /** The projects with this name, or this id. */
  async projects(name: string): Promise<string[]> {
    const { projects } = projectsSchema.parse(await this.json('GET', `/v1/api/projects?limit=${PAGE}`));
    return projects
      .filter((project) => project.name === name || project.project_id === name)
      .map(({ project_id }) => project_id);
  }

  async createProject(name: string): Promise<string> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
    const created = await this.json('POST', '/v1/api/projects', JSON.stringify({ name }), headers);
    return z.object({ project_id: z.string() }).parse(created).project_id;
  }

  /** The versions of all documents, by path. */
  async versions(project: string): Promise<Map<string, string>> {
    const versions = new Map<string, string>();
    for (let offset = 0; ; offset += PAGE) {
      const url = `${projectUrl(project)}/documents?limit=${PAGE}&offset=${offset}`;
      const { documents, total } = listSchema.parse(await this.json('GET', url));
      for (const { path, version } of documents) versions.set(path, version);
      if (offset + PAGE >= total) return versions;
    }
  }

  /** @throws Refusal 404 */
  async original(project: string, path: string): Promise<Buffer> {
    const answer = await this.request('GET', `${urlOf(project, path)}?original=true`);
    return Buffer.from(await answer.arrayBuffer());
  }

  /** @param replaced the version to be replaced; null: there must be none. @throws Refusal 412 where there is another one */
  async put(project: string, path: string, bytes: Buffer, replaced: string | null): Promise<string> {
    const condition: Record<string, string> =
      replaced === null ? { 'if-none-match': '*' } : { 'if-match': `"${replaced}"` };
    // With the key, a repetition of a request whose answer was lost gets that answer, and not a 412.
    const headers = { ...condition, 'idempotency-key': randomUUID(), 'content-type': 'application/octet-stream' };
    return storedSchema.parse(await this.json('PUT', urlOf(project, path), bytes, headers)).version;
  }

  /** @returns the versions of the documents that were stored, by path */
  async putAll(project: string, archive: Uint8Array): Promise<Map<string, string>> {
    const headers = { 'content-type': 'application/zip', 'content-encoding': 'gzip' };
    const url = `${projectUrl(project)}/documents`;
    const body = await compressed(archive, { level: constants.Z_BEST_SPEED });
    const { documents } = bulkSchema.parse(await this.json('POST', url, body, headers));
    return new Map(documents.flatMap(({ path, version }) => (version === undefined ? [] : [[path, version] as const])));
  }

  /**
   * @param from a document, or a folder where it ends with `/`, as `to`
   * @returns the versions of the moved documents, by their new paths
   */
  async move(project: string, from: string, to: string): Promise<Map<string, string>> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
    const url = `${projectUrl(project)}/move`;
    const { moved } = movedSchema.parse(await this.json('POST', url, JSON.stringify({ from, to }), headers));
    return new Map(moved.map((document) => [document.to, document.version]));
  }

  /** The current version of a document; undefined where there is none. */
  async version(project: string, path: string): Promise<string | undefined> {
    const url = `${projectUrl(project)}/documents?limit=1&prefix=${encodeURIComponent(path)}`;
    const { documents } = listSchema.parse(await this.json('GET', url));
    return documents.find((document) => document.path === path)?.version;
  }

  /** Puts a document into the trash, where the server has one; it may be gone already. */
  async delete(project: string, path: string): Promise<void> {
    const url = urlOf(project, path);
    const refusal = await this.refusalOf(this.request('DELETE', `${url}?trash=true`));
    const isWithoutTrash = refusal?.status === 422 || refusal?.status === 400;
    const last = isWithoutTrash ? await this.refusalOf(this.request('DELETE', url)) : refusal;
    if (last !== undefined && last.status !== 404) throw last;
  }

  private async refusalOf(request: Promise<unknown>): Promise<Refusal | undefined> {
    try {
      await request;
      return undefined;
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  }

  private async json(
    method: string,
    url: string,
    body?: string | Uint8Array,
    headers?: Record<string, string>,
  ): Promise<unknown> {
    return (await this.request(method, url, body, headers)).json();
  }

  private async request(
    method: string,
    url: string,
    body?: string | Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    for (let attempt = 0, faults = 0; ; attempt++) {
      const answer = await this.attempt(method, url, body, headers);
      if (answer instanceof Response) {
        const isStale = answer.headers.has('x-caudex-stale');
        if (answer.ok && !isStale) return answer;
        if (answer.status === 500) faults++;
        const isTemporary = isStale || AWAY.has(answer.status) || (answer.status === 500 && faults < MAX_FAULTS);
        if (!isTemporary) throw new Refusal(answer.status, await detailOf(answer));
      }
      if (attempt === 0) this.onAway(answer instanceof Response ? await detailOf(answer) : answer.message);
      const retryAfterS = answer instanceof Response ? Number(answer.headers.get('retry-after')) || 0 : 0;
      const backoffMs = Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** Math.min(attempt, 10));
      await sleep(Math.max(retryAfterS * 1000, backoffMs * (1 + Math.random() * 0.2)));
    }
  }

  private async attempt(
    method: string,
    url: string,
    body: string | Uint8Array | undefined,
    headers: Record<string, string>,
  ): Promise<Response | Error> {
    try {
      const answer = await fetch(this.settings.url + url, {
        method,
        headers: { authorization: `Bearer ${this.settings.apiKey}`, ...headers },
        signal: AbortSignal.timeout(ATTEMPT_MS),
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : Buffer.from(body) }),
      });
      // The whole body belongs to the attempt.
      const { status, headers: answered } = answer;
      const bytes = status === 204 ? null : await answer.arrayBuffer();
      return new Response(bytes, { status, headers: answered });
    } catch (error) {
      const { message, cause } = error as Error;
      return new Error(`${this.settings.url} does not answer (${cause instanceof Error ? cause.message : message})`);
    }
  }
}

const compressed = promisify(gzip);

const projectUrl = (project: string) => `/v1/api/projects/${encodeURIComponent(project)}`;

const urlOf = (project: string, path: string) => `${projectUrl(project)}/documents/${encodeURIComponent(path)}`;

async function detailOf(answer: Response): Promise<string> {
  if (answer.ok) return 'the server has only an answer from before an outage';
  const problem = problemSchema.safeParse(
    await answer
      .clone()
      .json()
      .catch(() => undefined),
  );
  return problem.success ? problem.data.detail : `the server answered ${answer.status}`;
}
