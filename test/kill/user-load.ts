import { randomUUID } from 'node:crypto';
import { type ChatAnswer, parseEvents, type Person } from '../system/caudex.js';

const DOCUMENTS = 6;
const PAUSE_MS = 20;

export interface Revision {
  word: string;
  text: string;
  /** The version in the answer; null before the answer. */
  version: string | null;
}
export interface Asked {
  question: string;
  conversationId: string;
  messageId: string;
  /** Null: the stream began, but its end was not received. */
  credits: number | null;
}

/** A user who chats and saves documents without a pause, with a record of everything that was acknowledged. */
export class UserLoad {
  /** By path, in the order they were sent. */
  readonly documents = new Map<string, Revision[]>();
  readonly asked: Asked[] = [];
  /** Requests without a 2xx answer. */
  failures = 0;
  acknowledged = 0;
  private running: Promise<void>[] = [];
  private stopped = false;
  private number = 0;

  constructor(
    private readonly person: Person,
    private readonly project: string,
    private readonly name: string,
    private readonly random: () => number,
  ) {}

  start(): void {
    this.stopped = false;
    this.running = [this.loop(() => this.save()), this.loop(() => this.chat()), this.loop(() => this.chatStreamed())];
  }

  /** Ends after the running requests. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
  }

  private async loop(work: () => Promise<void>): Promise<void> {
    while (!this.stopped) {
      await work().catch(() => this.failures++);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  /** Half of the failed saves are repeated with their idempotency key until they succeed. */
  private async save(): Promise<void> {
    const path = `notes/${Math.floor(this.random() * DOCUMENTS)}.md`;
    const word = `${this.name}word${this.number++}x`;
    const text = `# About ${word}\n\nThis revision speaks of ${word} and of nothing else.\n`;
    const revision: Revision = { word, text, version: null };
    const revisions = this.documents.get(path) ?? [];
    this.documents.set(path, revisions);
    revisions.push(revision);
    const again = this.random() < 0.5;
    const key = randomUUID();
    do {
      try {
        const answer = await this.person.request('PUT', `/v1/api/projects/${this.project}/documents/${path}`, text, {
          'content-type': 'text/markdown',
          'idempotency-key': key,
        });
        const body = (await answer.json()) as { version: string };
        if (answer.ok) {
          revision.version = body.version;
          this.acknowledged++;
          return;
        }
      } catch {
        // The backend is dead.
      }
      this.failures++;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    } while (again && !this.stopped);
  }

  private async chat(): Promise<void> {
    const question = `${this.name} asks number ${this.number++}`;
    const key = randomUUID();
    const again = this.random() < 0.5;
    do {
      const answer = await this.person
        .request('POST', '/v1/api/chat', JSON.stringify({ message: question, project_id: this.project }), {
          'content-type': 'application/json',
          'idempotency-key': key,
        })
        .catch(() => undefined);
      if (answer?.status === 200) {
        const body = (await answer.json().catch(() => undefined)) as ChatAnswer | undefined;
        if (body !== undefined) return this.note(question, body);
      }
      this.failures++;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    } while (again && !this.stopped);
  }

  /** After the first event of the stream, the question must not be lost. */
  private async chatStreamed(): Promise<void> {
    const question = `${this.name} asks number ${this.number++}`;
    const body = JSON.stringify({ message: question, project_id: this.project, stream: true });
    const answer = await this.person.request('POST', '/v1/api/chat', body, { 'content-type': 'application/json' });
    if (answer.status !== 200) throw new Error(`status ${answer.status}`);
    let text = '';
    try {
      for await (const bytes of answer.body as unknown as AsyncIterable<Uint8Array>) {
        text += Buffer.from(bytes).toString();
      }
    } catch {
      this.failures++;
    }
    const events = parseEvents(text.slice(0, text.lastIndexOf('\n\n') + 2)).map(({ data }) => data);
    const metadata = (type: string) => {
      const event = events.find((data) => data !== '[DONE]' && data.type === type);
      return event === undefined || event === '[DONE]' ? undefined : event.messageMetadata;
    };
    const finish = metadata('finish');
    const start = metadata('start');
    if (finish !== undefined) this.note(question, finish);
    else if (start !== undefined) {
      this.asked.push({ question, conversationId: start.conversation_id, messageId: start.message_id, credits: null });
    }
  }

  private note(question: string, { conversation_id, message_id, usage }: ChatAnswer): void {
    this.asked.push({ question, conversationId: conversation_id, messageId: message_id, credits: usage.credits });
    this.acknowledged++;
  }
}
