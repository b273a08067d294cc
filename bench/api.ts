import { randomUUID } from 'node:crypto';

export interface Found {
  results: { document: string; chunk: number; text: string }[];
  source: string;
}

interface SignedIn {
  token: string;
  user: { user_id: string };
}

/** A client of the public API with one account. */
export class Api {
  private readonly url: string;
  private readonly token: string;
  readonly userId: string;

  private constructor(url: string, token: string, userId: string) {
    this.url = url;
    this.token = token;
    this.userId = userId;
  }

  /** Signs in; without `account`, registers one first. */
  static async signIn(url: string, account?: { email: string; password: string }): Promise<Api> {
    const anybody = new Api(url.replace(/\/+$/, ''), '', '');
    const signing = account ?? { email: `${randomUUID()}@example.org`, password: randomUUID() };
    if (account === undefined) await anybody.call('POST', '/v1/api/auth/register', signing);
    const { token, user } = await anybody.call<SignedIn>('POST', '/v1/api/auth/login', signing);
    return new Api(anybody.url, token, user.user_id);
  }

  async createProject(name: string): Promise<string> {
    return (await this.call<{ project_id: string }>('POST', '/v1/api/projects', { name })).project_id;
  }

  async deleteProject(project: string): Promise<void> {
    await this.request('DELETE', `/v1/api/projects/${project}`);
  }

  /** Resolves to whether it was indexed at once. */
  async putDocument(project: string, path: string, text: string): Promise<boolean> {
    const url = `/v1/api/projects/${project}/documents/${encodeURIComponent(path)}`;
    const response = await this.request('PUT', url, text, 'text/markdown');
    return ((await response.json()) as { indexed: string }).indexed === 'done';
  }

  /** The number of passages without a vector. */
  async stalePassages(project: string): Promise<number> {
    const response = await this.request('GET', `/v1/api/projects/${project}/index`);
    return ((await response.json()) as { stale_passages: number }).stale_passages;
  }

  search(body: { project_id: string; query: string; limit: number; offset?: number; mode?: string }): Promise<Found> {
    return this.call<Found>('POST', '/v1/api/search', body);
  }

  chat(project: string, message: string): Promise<unknown> {
    return this.call('POST', '/v1/api/chat', { message, project_id: project });
  }

  /** Milliseconds until the end of the text, and until the end of the stream, which says that the turn is saved. */
  async streamedChat(project: string, message: string): Promise<{ textMs: number; endMs: number }> {
    const startedAt = performance.now();
    const body = JSON.stringify({ message, project_id: project, stream: true });
    const response = await this.request('POST', '/v1/api/chat', body, 'application/json');
    let textMs = NaN;
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      if (Buffer.from(chunk).includes('"text-end"')) textMs = performance.now() - startedAt;
    }
    return { textMs, endMs: performance.now() - startedAt };
  }

  private async call<T>(method: string, path: string, body: unknown): Promise<T> {
    return (await (await this.request(method, path, JSON.stringify(body), 'application/json')).json()) as T;
  }

  private async request(method: string, path: string, body?: string, type?: string): Promise<Response> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(this.token === '' ? {} : { authorization: `Bearer ${this.token}` }),
        ...(type === undefined ? {} : { 'content-type': type }),
      },
      ...(body === undefined ? {} : { body }),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return response;
  }
}

/** Does `work` for each item, `width` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const index = next++;
      await work(items[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}
