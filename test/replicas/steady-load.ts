import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseEvents, type Person, type StreamEvent } from '../system/caudex.js';

/** The pause of each loop between two requests; it keeps every person below the rate limit. */
const PAUSE_MS = 300;
const JSON_TYPE = { 'content-type': 'application/json' };
const MAX_RESUMPTIONS = 20;

/** A request that was not answered with a 2xx. Times are of `performance.now()`. */
export interface Failure {
  kind: Kind;
  /** Whether a proxy may send the request again. */
  repeatable: boolean;
  beganMs: number;
  endedMs: number;
  what: string;
}
type Kind = 'search' | 'history' | 'upload' | 'chat' | 'chat without key' | 'stream';

/** An answered question. */
export interface Answered {
  person: Person;
  messageId: string;
  question: string;
  /** The answer as the client received it. */
  text: string;
  /** How a stream ended: `error` after the end of the backend that wrote it. */
  end: 'finish' | 'error';
}

export interface Uploaded {
  person: Person;
  project: string;
  path: string;
  text: string;
}

interface Reading {
  lastId: number;
  text: string;
  messageId: string | undefined;
  end: Answered['end'] | undefined;
}

/** A load of searches, questions and uploads that records every acknowledgement. */
export class SteadyLoad {
  readonly failures: Failure[] = [];
  readonly answered: Answered[] = [];
  readonly uploaded: Uploaded[] = [];
  /** The questions and paths that were sent, acknowledged or not. */
  readonly asked = new Set<string>();
  readonly requests: Record<Kind, number> = {
    search: 0,
    history: 0,
    upload: 0,
    chat: 0,
    'chat without key': 0,
    stream: 0,
  };
  /** The answers to searches that were degraded, or not from the index. */
  readonly degraded: string[] = [];
  /** How many streams were cut and resumed. */
  resumed = 0;
  private stopping = false;
  private loops: Promise<void>[] = [];

  /** @param people one for each kind of request and its project */
  start(people: readonly { person: Person; project: string }[]): void {
    const acts = [this.search, this.upload, this.chat, this.stream, this.stream, this.chatWithoutKey];
    this.loops = acts.map(async (act, n) => {
      const { person, project } = people[n % people.length] as { person: Person; project: string };
      while (!this.stopping) {
        await act.call(this, person, project);
        await sleep(PAUSE_MS);
      }
    });
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.loops);
  }

  private async search(person: Person, project: string): Promise<void> {
    const query = JSON.stringify({ query: 'harbour', project_id: project });
    const answer = await this.send('search', true, () => person.request('POST', '/v1/api/search', query, JSON_TYPE));
    if (answer === undefined) return;
    await this.send('history', true, () => person.request('GET', `/v1/api/projects/${project}/history?limit=5`));
    const { source, degradation } = JSON.parse(answer) as { source: string; degradation: unknown[] };
    if (source !== 'hybrid' || degradation.length > 0) this.degraded.push(JSON.stringify({ source, degradation }));
  }

  private async upload(person: Person, project: string): Promise<void> {
    const path = `${randomUUID()}.md`;
    const text = `# Note\n\nThe harbour of ${path}. ${'Ships come and go. '.repeat(20)}`;
    this.asked.add(path);
    const url = `/v1/api/projects/${project}/documents/${path}`;
    const stored = await this.send('upload', true, () =>
      person.request('PUT', url, text, { 'content-type': 'text/markdown' }),
    );
    if (stored !== undefined) this.uploaded.push({ person, project, path, text });
  }

  private chat(person: Person, project: string): Promise<void> {
    return this.ask('chat', person, project, { 'idempotency-key': randomUUID() });
  }

  private chatWithoutKey(person: Person, project: string): Promise<void> {
    return this.ask('chat without key', person, project, {});
  }

  private async ask(kind: Kind, person: Person, project: string, key: Record<string, string>): Promise<void> {
    const question = this.question();
    const body = JSON.stringify({ message: question, project_id: project });
    const answer = await this.send(kind, key['idempotency-key'] !== undefined, () =>
      person.request('POST', '/v1/api/chat', body, { ...JSON_TYPE, ...key }),
    );
    if (answer === undefined) return;
    const { message_id, response } = JSON.parse(answer) as { message_id: string; response: string };
    this.answered.push({ person, question, messageId: message_id, text: response, end: 'finish' });
  }

  /** A streamed question; a cut stream is resumed after the last event that arrived. */
  private async stream(person: Person, project: string): Promise<void> {
    const question = this.question();
    const body = JSON.stringify({ message: question, project_id: project, stream: true });
    const key = randomUUID();
    const reading: Reading = { lastId: 0, text: '', messageId: undefined, end: undefined };
    const connect = () =>
      reading.messageId === undefined
        ? person.request('POST', '/v1/api/chat', body, { ...JSON_TYPE, 'idempotency-key': key })
        : person.request('GET', `/v1/api/chat/${reading.messageId}/stream`, undefined, {
            'last-event-id': String(reading.lastId),
          });
    for (let tries = 0; reading.end === undefined && tries < MAX_RESUMPTIONS; tries++) {
      if (tries > 0) this.resumed++;
      const answered = await this.send('stream', true, connect, (answer) => read(answer, reading));
      if (answered === undefined) return;
    }
    const { messageId, text, end } = reading;
    if (messageId === undefined || end === undefined) throw new Error(`the stream of ${question} did not end`);
    this.answered.push({ person, question, messageId, text, end });
  }

  private question(): string {
    const question = `What about harbour ${randomUUID()}?`;
    this.asked.add(question);
    return question;
  }

  /** @returns the body; undefined where the request failed */
  private async send(
    kind: Kind,
    repeatable: boolean,
    request: () => Promise<Response>,
    take: (answer: Response) => Promise<string> = (answer) => answer.text(),
  ): Promise<string | undefined> {
    const beganMs = performance.now();
    this.requests[kind]++;
    const failed = (what: string) => {
      this.failures.push({ kind, repeatable, beganMs, endedMs: performance.now(), what });
      return undefined;
    };
    try {
      const answer = await request();
      if (answer.ok) return await take(answer);
      return failed(`${answer.status} ${await answer.text()}`);
    } catch (error) {
      const { message, cause } = error as Error & { cause?: Error };
      return failed(`${message}: ${cause?.message}`);
    }
  }
}

/** Reads events until the end of the stream or of its connection. */
async function read(answer: Response, reading: Reading): Promise<string> {
  let rest = '';
  const decoder = new TextDecoder();
  try {
    for await (const bytes of answer.body as ReadableStream<Uint8Array>) {
      rest += decoder.decode(bytes, { stream: true });
      const whole = rest.lastIndexOf('\n\n') + 2;
      if (whole < 2) continue;
      for (const event of parseEvents(rest.slice(0, whole))) take(event, reading);
      rest = rest.slice(whole);
    }
  } catch {
    // The connection was cut; the caller resumes.
  }
  return reading.text;
}

function take({ id, data }: StreamEvent, reading: Reading): void {
  reading.lastId = id;
  if (data === '[DONE]') return;
  if (data.type === 'start') reading.messageId = data.messageId;
  if (data.type === 'text-delta') reading.text += data.delta ?? '';
  if (data.type === 'finish') reading.end = 'finish';
  if (data.type === 'error') reading.end = 'error';
}
