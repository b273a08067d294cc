import { type Outbox, type OutboxHandler, topicAt } from '../../outbox/outbox.service.js';
import type { CallContext, EndpointChoice } from '../../resilience/policy/call-context.js';
import type { Copy } from '../../resilience/wire/contract-client.js';

/** Worse than any number of waiting changes. */
const BEHIND = 1e6;
const UNCOMPARED = 1e9;

/**
 * The servers of a service that each keep all of its data. Each change is delivered to each of them by an outbox entry of
 * its own. A read goes to one that has all changes of the project, as far as one answers. With one server there is one
 * entry for each change, and reads have no choice.
 */
export class Copies<Client> {
  /** By endpoint, the start of its server at which its data were last compared with those of the others. */
  private readonly compared = new Map<string, string>();

  constructor(
    readonly all: readonly Copy<Client>[],
    private readonly outbox: Pick<Outbox, 'register' | 'store'>,
    /** The topic of the changes. */
    private readonly topic: string,
    /** The topic of what a server gets of a project that it has lost, or never had. */
    private readonly fillTopic?: string,
  ) {}

  get areSeveral(): boolean {
    return this.all.length > 1;
  }

  /** The topics of the entries of one change: one for each server. */
  topics(topic = this.topic): string[] {
    return this.all.map(({ endpoint }) => topicAt(topic, endpoint));
  }

  /** Whether a server is known to lack more of a project than the changes that wait for it. */
  isBehind: (url: string, userId: string, projectId: string) => boolean = () => false;

  /** Registers a handler for each server. */
  register(handlerOf: (copy: Copy<Client>) => Omit<OutboxHandler, 'endpoint'>): void {
    for (const copy of this.all) this.outbox.register({ ...handlerOf(copy), endpoint: copy.endpoint });
  }

  /** From now on this start of a server is preferred in projects of which no change waits for it. */
  wasCompared({ endpoint }: Copy<Client>, instance: string | undefined): void {
    if (endpoint !== undefined && instance !== undefined) this.compared.set(endpoint, instance);
  }

  /** How many changes of a project wait for a server. */
  async waiting(endpoint: string | undefined, userId: string, projectId: string): Promise<number> {
    const topic = topicAt(this.topic, endpoint);
    return (await this.outbox.store.counts([topic], userId, projectId)).get(topic) ?? 0;
  }

  /** Which of the servers a read of a project goes to. */
  async reading(userId: string, projectId: string): Promise<Reading> {
    if (!this.areSeveral) return ONLY_ONE;
    const { topic, fillTopic } = this;
    // What a comparison finds lacking is queued before its end, so it must not have ended after the count.
    const compared = new Map(this.compared);
    const topics = [...this.topics(), ...(fillTopic === undefined ? [] : this.topics(fillTopic))];
    const waiting = await this.outbox.store.counts(topics, userId, projectId);
    const isBehind = (url: string) =>
      this.isBehind(url, userId, projectId) || (fillTopic !== undefined && waiting.has(topicAt(fillTopic, url)));
    return new ReadingOfCopies(
      compared,
      (url) => (waiting.get(topicAt(topic, url)) ?? 0) + (isBehind(url) ? BEHIND : 0),
    );
  }

  /** The call as a read of a project. */
  async of<C extends CallContext & { userId: string }>(projectId: string, call: C): Promise<C> {
    return (await this.reading(call.userId, projectId)).of(call);
  }

  at(endpoint: string | undefined): Copy<Client> {
    const found = this.all.find((copy) => copy.endpoint === endpoint);
    if (found === undefined) throw new Error(`there is no server at ${endpoint}`);
    return found;
  }
}

/** The choice of one read. */
export interface Reading {
  /** The call with this choice. */
  of<C extends CallContext>(call: C): C;
  /** The server that answered last; undefined where there is one only. */
  readonly endpoint: string | undefined;
}

const ONLY_ONE: Reading = { of: (call) => call, endpoint: undefined };

class ReadingOfCopies implements Reading, EndpointChoice {
  endpoint: string | undefined;

  constructor(
    private readonly compared: ReadonlyMap<string, string>,
    /** How much of the project an endpoint lacks. */
    private readonly lacks: (url: string) => number,
  ) {}

  of<C extends CallContext>(call: C): C {
    return { ...call, endpoints: this };
  }

  rank(url: string): number {
    return this.lacks(url) + (this.compared.has(url) ? 0 : UNCOMPARED);
  }

  /** A server that was started anew may have lost its data. */
  accepts(url: string, instance: string | undefined): boolean {
    return this.compared.get(url) === instance;
  }

  answered(url: string): void {
    this.endpoint = url;
  }
}
