import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { FilesystemClient } from '../../downstream/filesystem/filesystem.client.js';
import { MAX_BATCH_DOCUMENTS } from '../../downstream/filesystem/filesystem.contract.js';
import { MAX_COMMITS } from '../../downstream/git/git.contract.js';
import { Deletions } from '../call/deletions.js';
import { HISTORY_FILL, HistoryCopies, IndexCopies } from '../copies/copies.module.js';
import { Outbox, topicAt } from '../../outbox/outbox.service.js';
import type { NewOutboxEntry, OutboxEntry, PendingFilter } from '../../outbox/outbox.store.js';
import {
  changesOf,
  CommitDelivery,
  type CommitPayload,
  commitPayload,
  type MoveCommit,
} from './delivery/commit-delivery.js';
import { HistoryFill, nameOfVersion } from './delivery/history-fill.js';
import { IndexDelivery, indexPayload } from './delivery/index-delivery.js';
import { concerns, isOfSeveral, type Move, type MovedDocument } from './moving/move-payload.js';
import { ProjectEvents } from '../projects/project-events.js';

/** A text up to this size travels in the outbox with its commit; a larger one is fetched when it is committed. */
export const KEPT_TEXT_CHARS = 1_000_000;
const DELIVERY_POLL_MS = 10;
/** A call costs more than the short texts in it. Callers wait for the index, so it gathers what a few of them send. */
const INDEX_GATHER_MS = 20;
/** A call starts a git process, which costs more than the commits that it makes. */
const COMMIT_GATHER_MS = 250;

interface ProjectOf {
  userId: string;
  projectId: string;
}
interface DocumentKey extends ProjectOf {
  path: string;
}

/**
 * Synchronises index and history with the files: through the outbox, in order for each document, and with an entry for
 * each server that has a copy.
 */
@Injectable()
export class DocumentSync implements OnModuleInit {
  /** Recently deleted projects. */
  private readonly deletedProjects = new LRUCache<string, true>({ max: 10_000 });

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly filesystem: FilesystemClient,
    private readonly indexes: IndexCopies,
    private readonly histories: HistoryCopies,
    private readonly outbox: Outbox,
    private readonly events: ProjectEvents,
    private readonly deletions: Deletions,
  ) {}

  onModuleInit(): void {
    this.events.onDelete((userId, projectId) => this.forget(userId, projectId));
    this.deletions.onDelete(() => this.outbox.scrub());
    this.indexes.register(({ client }) => {
      const isDeleted = (userId: string | undefined, projectId: string) =>
        this.deletedProjects.has(`${userId}/${projectId}`);
      const delivery = new IndexDelivery(this.filesystem, client, isDeleted);
      return {
        topic: 'index',
        service: 'chroma',
        deliver: (entry, call) => delivery.deliver(entry, call),
        batch: {
          maxEntries: MAX_BATCH_DOCUMENTS,
          maxChars: KEPT_TEXT_CHARS,
          // A caller that sends one document after the other does not wait.
          gatherMs: (entries) => (entries > 1 ? INDEX_GATHER_MS : 0),
          deliver: (entries, call) => delivery.deliverTogether(entries, call),
        },
      };
    });
    this.histories.register(({ client, endpoint }) => {
      const others = this.histories.all.flatMap((other) => (other.endpoint === endpoint ? [] : [other.client]));
      const delivery = new CommitDelivery(this.filesystem, client, this.outbox, others);
      return {
        topic: 'commit',
        service: 'git',
        deliver: (entry, call) => delivery.deliver(entry, call),
        batch: {
          maxEntries: MAX_COMMITS,
          maxChars: KEPT_TEXT_CHARS,
          gatherMs: () => COMMIT_GATHER_MS,
          deliver: (entries, call) => delivery.deliverTogether(entries, call),
        },
      };
    });
    this.registerFills();
  }

  /** Registers the deliveries of whole histories. With one git server they end what was queued when there were several. */
  private registerFills(): void {
    this.histories.register((copy) => {
      const place = this.histories.all.indexOf(copy);
      const fill = new HistoryFill(this.filesystem, copy, this.histories.all, async (userId, projectId) => {
        return new Set((await this.commitsWaiting(userId, projectId))[place]?.map(nameOfVersion));
      });
      return { topic: HISTORY_FILL, service: 'git', deliver: (entry, call) => fill.deliver(entry, call) };
    });
  }

  /**
   * Must be written before the files change, so that no change can lack its index update and its commit. `commit` is
   * null where the history does not have the change, or has it already.
   */
  async hold({ path, ...project }: DocumentKey, commit: CommitPayload | null, deleted: boolean): Promise<HeldChange> {
    const [held] = await this.holdAll(project, [{ path, commit, deleted }]);
    return held as HeldChange;
  }

  /** {@link hold} for several documents. */
  async holdAll(project: ProjectOf, changes: readonly Planned[]): Promise<HeldChange[]> {
    const planned = changes.map(({ path, commit, deleted = false }) => ({
      index: entriesOf(this.indexes.topics(), { ...project, path }, { path, deleted }),
      commit: commit === null ? [] : entriesOf(this.histories.topics(), { ...project, path }, commit),
    }));
    const held = (await this.outbox.hold(planned.flatMap(({ index, commit }) => [...index, ...commit]))).values();
    const next = (entries: readonly NewOutboxEntry[]) => entries.map(() => held.next().value as OutboxEntry);
    return planned.map(({ index, commit }) => ({ index: next(index), commit: next(commit) }));
  }

  /**
   * Queues an index update of some documents, which uses their files as they are at the time of delivery.
   * @param topics of some of the copies; by default of all
   */
  async index(
    project: ProjectOf,
    paths: readonly string[],
    { topics = this.indexes.topics(), anew = false } = {},
  ): Promise<void> {
    const payload = { deleted: false, ...(anew && { anew }) };
    await this.outbox.send(paths.flatMap((path) => entriesOf(topics, { ...project, path }, { path, ...payload })));
  }

  /** Queues changes that the history lacks. */
  async commitAll(project: ProjectOf, commits: readonly CommitPayload[]): Promise<void> {
    const topics = this.histories.topics();
    await this.outbox.send(commits.flatMap((commit) => entriesOf(topics, { ...project, path: commit.path }, commit)));
  }

  /**
   * {@link release}, {@link releaseIndex} and {@link abandon} for several documents.
   * @returns for each whether an index was synchronised within its `waitMs`
   */
  async releaseAll(changes: readonly SettledChange[]): Promise<Promise<boolean>[]> {
    const dropped = changes.flatMap(({ held: { index, commit }, outcome }) => [
      ...(outcome === 'refused' ? index : []),
      ...(outcome === 'changed' ? [] : commit),
    ]);
    if (dropped.length > 0) await this.outbox.discard(dropped);
    const indexed = changes.map(async ({ held, outcome, waitMs }) =>
      outcome === 'refused' ? false : this.delivered(held.index, waitMs),
    );
    const kept = changes.flatMap(({ held: { index, commit }, outcome }) => [
      ...(outcome === 'refused' ? [] : index),
      ...(outcome === 'changed' ? commit : []),
    ]);
    await this.outbox.release(kept);
    return indexed;
  }

  /** {@link abandon} for several documents. */
  async abandonAll(held: readonly HeldChange[], nothingDone: boolean): Promise<void> {
    const entries = held.flatMap(both);
    if (nothingDone) return this.outbox.discard(entries);
    const uncertain = held
      .flatMap(({ commit }) => commit)
      .map(({ id, payload }) => ({ id, payload: { ...(payload as CommitPayload), uncertain: true } }));
    await this.outbox.release(entries, [], uncertain);
  }

  /** Whether an index was synchronised within `waitMs`. */
  async release(held: HeldChange, waitMs: number): Promise<boolean> {
    const delivered = this.delivered(held.index, waitMs);
    await this.outbox.release(both(held));
    return delivered;
  }

  /** The files did not change: the history needs nothing, and the index only what it has lost. */
  async releaseIndex({ index, commit }: HeldChange, waitMs: number): Promise<boolean> {
    if (commit.length > 0) await this.outbox.discard(commit);
    return this.release({ index, commit: [] }, waitMs);
  }

  /** The files did not change, or it is not known whether they did. */
  async abandon(held: HeldChange, nothingDone: boolean): Promise<void> {
    if (nothingDone) return this.outbox.discard(both(held));
    for (const entry of held.commit) {
      await this.outbox.update(entry, { ...(entry.payload as CommitPayload), uncertain: true });
    }
    await this.outbox.release(both(held));
  }

  /** Whether one of the entries of a change was delivered within `waitMs`: searches then go to its copy. */
  private delivered(entries: readonly OutboxEntry[], waitMs: number): Promise<boolean> {
    const deliveries = entries.map(async (entry) => {
      const { delivered, reason } = await this.outbox.delivery(entry, waitMs);
      if (!delivered) throw new Error(reason);
    });
    return Promise.any(deliveries).then(
      () => true,
      () => false,
    );
  }

  /** Like {@link hold}, before documents are moved or copied. */
  async holdMove(project: ProjectOf, move: Move, commit: MoveCommit): Promise<HeldChange> {
    const { to: path, version } = move;
    const from = move.copy ? undefined : move.from;
    const index = entriesOf(this.indexes.topics(), { ...project, path }, { path, deleted: false, move }, from);
    const history = entriesOf(this.histories.topics(), { ...project, path }, { path, version, ...commit, move }, from);
    const held = await this.outbox.hold([...index, ...history]);
    return { index: held.slice(0, index.length), commit: held.slice(index.length) };
  }

  /** Queues the updates of index and history, and waits a bounded time for them. */
  async releaseMove(project: ProjectOf, { index, commit }: HeldChange, documents: readonly MovedDocument[]) {
    const { userId, projectId } = project;
    const payload = commit[0]?.payload as CommitPayload & { move: Move };
    const updates = documents.flatMap(({ from, to: path, from_version: version }) => {
      const update = { path, deleted: false, ...(!payload.move.copy && { moved_from: { path: from, version } }) };
      return entriesOf(this.indexes.topics(), { ...project, path }, update, payload.move.copy ? undefined : from);
    });
    const known = documents.map(({ from, to, from_version }) => ({ from, to, from_version }));
    const { planned: _, ...move } = payload.move;
    const changed = { ...payload, move: { ...move, documents: known } };
    await this.outbox.release(
      commit,
      updates,
      commit.map(({ id }) => ({ id, payload: changed })),
    );
    await this.outbox.discard(index);
    const filter = isOfSeveral(payload.move) ? { projectId } : { keys: [keyOf({ ...project, path: payload.move.to })] };
    await this.whileDelivering(this.histories.topics(), userId, filter, this.config.patience.commit_ms);
    await this.whileDelivering(this.indexes.topics(), userId, filter, this.config.documents.index_wait_ms);
  }

  /** The documents were not moved, or it is not known whether they were. */
  async abandonMove(held: HeldChange, nothingDone: boolean): Promise<void> {
    if (nothingDone) return this.outbox.discard(both(held));
    await this.outbox.release(both(held));
  }

  /** Drops the queued updates of a deleted project. */
  async forget(userId: string, projectId: string): Promise<void> {
    this.deletedProjects.set(`${userId}/${projectId}`, true);
    const topics = [...this.indexes.topics(), ...this.histories.topics(), ...this.histories.topics(HISTORY_FILL)];
    const pending = topics.map((topic) => this.outbox.store.pending(topic, userId, { projectId }));
    await this.outbox.discard((await Promise.all(pending)).flat());
  }

  /** Whether an earlier change of a document waits for its update of every index. */
  async isStale(key: DocumentKey): Promise<boolean> {
    return (await this.staleDocuments(key.userId, key.projectId, { paths: [key.path] })).has(key.path);
  }

  /**
   * Documents whose index is not yet synchronised, by path, and whether their deletion is queued.
   * @param paths of these alone
   * @param endpoint of the index on this server; without it those that no index has
   */
  async staleDocuments(
    userId: string,
    projectId: string,
    { paths, endpoint }: { paths?: readonly string[]; endpoint?: string | undefined } = {},
  ): Promise<ReadonlyMap<string, { deleted: boolean }>> {
    const filter = paths === undefined ? { projectId } : { keys: keysAbout(userId, projectId, paths) };
    const topics = this.indexes
      .topics()
      .filter((topic) => endpoint === undefined || topic === topicAt('index', endpoint));
    const pending = topics.map(async (topic) => staleIn(await this.outbox.store.pending(topic, userId, filter), paths));
    const [first = new Map<string, { deleted: boolean }>(), ...others] = await Promise.all(pending);
    return new Map([...first].filter(([path]) => others.every((other) => other.has(path))));
  }

  /** Changes that no server has committed yet, oldest first. */
  async uncommitted(userId: string, projectId: string): Promise<CommitPayload[]> {
    const [first = [], ...others] = await this.commitsWaiting(userId, projectId);
    const named = others.map((changes) => new Set(changes.map(nameOfVersion)));
    return first.filter((change) => named.every((names) => names.has(nameOfVersion(change))));
  }

  /** The changes that each server has not committed yet, oldest first. */
  async commitsWaiting(userId: string, projectId: string): Promise<CommitPayload[][]> {
    const pending = this.histories.topics().map((topic) => this.outbox.store.pending(topic, userId, { projectId }));
    return (await Promise.all(pending)).map((entries) =>
      entries.flatMap(({ payload }) => changesOf(commitPayload.parse(payload))),
    );
  }

  /**
   * Waits up to `patience.commit_ms` for pending commits, so that the history shows a change directly after it was
   * saved.
   */
  async committed(userId: string, projectId: string, path: string | undefined): Promise<void> {
    const filter = path === undefined ? { projectId } : { keys: keysAbout(userId, projectId, [path]) };
    await this.whileDelivering(this.histories.topics(), userId, filter, this.config.patience.commit_ms);
  }

  /** Waits until one of the topics has no such entries, for those whose deliveries do not pause. */
  private async whileDelivering(
    topics: readonly string[],
    userId: string,
    filter: PendingFilter,
    waitMs: number,
  ): Promise<void> {
    const untilMs = performance.now() + waitMs;
    while (performance.now() < untilMs) {
      const working = topics.filter((topic) => !this.outbox.isPaused(topic));
      if (working.length === 0) return;
      for (const topic of working) if (!(await this.outbox.store.isDelivering(topic, userId, filter))) return;
      await sleep(DELIVERY_POLL_MS);
    }
  }
}

const keyOf = ({ userId, projectId, path }: DocumentKey) => `${userId}/${projectId}/${path}`;

/** The keys of all entries that may concern documents: those of their folders are of moves, '' is of several moves. */
function keysAbout(userId: string, projectId: string, paths: readonly string[]): string[] {
  const places = new Set(paths);
  for (const path of paths) {
    for (let end = path.lastIndexOf('/'); end !== -1; end = path.lastIndexOf('/', end - 1)) {
      places.add(path.slice(0, end + 1));
      if (end === 0) break;
    }
  }
  return [...places, ''].map((path) => keyOf({ userId, projectId, path }));
}

/** One entry for each topic. @param other a second document that it concerns, as the one that is moved */
function entriesOf(
  topics: readonly string[],
  document: DocumentKey,
  payload: unknown,
  other?: string,
): NewOutboxEntry[] {
  const { userId, projectId } = document;
  const otherKey = other === undefined ? undefined : keyOf({ ...document, path: other });
  return topics.map((topic) => ({ topic, key: keyOf(document), otherKey, userId, projectId, payload }));
}

/** @param asked the paths of interest; without it all */
function staleIn(entries: readonly OutboxEntry[], asked: readonly string[] = []): Map<string, { deleted: boolean }> {
  const stale = new Map<string, { deleted: boolean }>();
  for (const { payload } of entries) {
    const { path, deleted, moved_from: before, move } = indexPayload.parse(payload);
    const moved = move === undefined ? [path] : [path, ...asked.filter((one) => concerns(move, one))];
    for (const one of moved) stale.set(one, { deleted: deleted || stale.get(one)?.deleted === true });
    if (before !== undefined) stale.set(before.path, { deleted: true });
  }
  return stale;
}

const both = ({ index, commit }: HeldChange) => [...index, ...commit];

/** A change that is about to be made of a document. */
export interface Planned {
  path: string;
  commit: CommitPayload | null;
  deleted?: boolean;
}

/** Each list has one entry for each copy. */
export interface HeldChange {
  readonly index: readonly OutboxEntry[];
  /** Empty where the history already has the change. */
  readonly commit: readonly OutboxEntry[];
}

/** A change of which the filesystem server's answer is known. */
export interface SettledChange {
  held: HeldChange;
  /** `unchanged`: the files have this content already; then the index gets only what it has lost. */
  outcome: 'changed' | 'unchanged' | 'refused';
  waitMs: number;
}
