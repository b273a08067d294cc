import { randomUUID } from 'node:crypto';
import type { Postgres, Session } from '../storage/postgres/postgres.js';

export interface ReplicaTimes {
  /** Between two beats. */
  beatMs: number;
  /** A replica whose beat stands still for this time is dead. */
  timeoutMs: number;
}

/** How old announcements are when they are deleted. */
const KEPT_S = 600;
/** Announcements of transactions that took this long are still found. */
const OVERLAP_S = 10;
const PURGE_EVERY = 200;

type Beaten = { now: string; replicas: { id: string; beat: number }[]; announcements: Announcement[] };
type Announcement = { seq: number; topic: string; body: string };

/**
 * The backends on one database: each has an id for as long as its process lives, beats, sees which others are dead, and hears
 * their announcements within one beat.
 */
export class Replicas {
  readonly id = randomUUID();
  private readonly heirs: ((session: Session, dead: string) => Promise<void>)[] = [];
  private readonly listeners = new Map<string, (body: unknown) => void>();
  private readonly beatListeners: (() => Promise<void>)[] = [];
  /** The last beats of the others, with the time of `performance.now()` when each was first seen. */
  private readonly seen = new Map<string, { beat: number; sinceMs: number }>();
  private readonly heard = new Set<number>();
  private since: string | null = null;
  private beats = 0;
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> | undefined;
  private stopped = false;
  private failing = false;

  constructor(
    private readonly db: Postgres,
    private readonly times: ReplicaTimes,
    private readonly warn: (message: string) => void,
  ) {}

  /** `inherit` runs once for each dead replica, at one of the others, in the transaction that removes it. */
  onDead(inherit: (session: Session, dead: string) => Promise<void>): void {
    this.heirs.push(inherit);
  }

  /** Runs after each beat. */
  onBeat(listener: () => Promise<void>): void {
    this.beatListeners.push(listener);
  }

  /** Calls `listener` for each announcement of another replica about a topic. */
  on(topic: string, listener: (body: unknown) => void): void {
    this.listeners.set(topic, listener);
  }

  async announce(topic: string, body: unknown): Promise<void> {
    const sql = 'INSERT INTO announcement (origin, topic, body) VALUES ($1, $2, $3)';
    await this.db.write(sql, [this.id, topic, JSON.stringify(body)], { isIdempotent: true });
  }

  /** Makes the first beat and begins to beat. */
  async start(): Promise<void> {
    await this.beat();
    this.plan();
  }

  /** Ends the beats, and lets the others inherit at once. */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    clearTimeout(this.timer);
    await this.beating;
    // Also where the others removed it as a dead one: it may have written its id again since.
    await this.db
      .transaction(async (session) => {
        await session.query(REMOVE, [this.id]);
        await this.inherit(session, this.id);
      })
      .catch((error: unknown) => this.warn(`Replicas: ${(error as Error).message}`));
  }

  private plan(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.beating = this.beatAndListen().finally(() => this.plan());
    }, this.times.beatMs);
  }

  private async beatAndListen(): Promise<void> {
    try {
      await this.beat();
      for (const listener of this.beatListeners) await listener();
      this.failing = false;
    } catch (error) {
      // While this replica could not look, the others may have beaten.
      this.seen.clear();
      if (!this.failing) this.warn(`Replicas: the database is not available: ${(error as Error).message}`);
      this.failing = true;
    }
  }

  private async beat(): Promise<void> {
    const { rows } = await this.db.write<Beaten>(BEAT, [this.id, this.since, OVERLAP_S], { isIdempotent: true });
    const { now, replicas, announcements } = rows[0] as Beaten;
    this.since = now;
    this.hear(announcements);
    for (const dead of this.standingStill(replicas)) {
      if (await this.bury(dead)) this.warn(`Replicas: ${dead} is dead; its work is taken over`);
    }
    if (this.beats++ % PURGE_EVERY === 0) await this.db.write(PURGE, [KEPT_S], { isIdempotent: true });
  }

  private hear(announcements: readonly Announcement[]): void {
    const current = new Set(announcements.map(({ seq }) => seq));
    for (const { seq, topic, body } of announcements) {
      if (!this.heard.has(seq)) this.listeners.get(topic)?.(JSON.parse(body));
      this.heard.add(seq);
    }
    for (const seq of this.heard) if (!current.has(seq)) this.heard.delete(seq);
  }

  private standingStill(replicas: Beaten['replicas']): string[] {
    const nowMs = performance.now();
    const alive = new Set(replicas.map(({ id }) => id));
    for (const id of this.seen.keys()) if (!alive.has(id)) this.seen.delete(id);
    return replicas
      .filter(({ id, beat }) => {
        if (id === this.id) return false;
        const before = this.seen.get(id);
        if (before?.beat !== beat) this.seen.set(id, { beat, sinceMs: nowMs });
        else return nowMs - before.sinceMs >= this.times.timeoutMs;
        return false;
      })
      .map(({ id }) => id);
  }

  /** @returns whether it was this replica that did it */
  private bury(dead: string): Promise<boolean> {
    return this.db.transaction(async (session) => {
      if ((await session.query(REMOVE, [dead])).rowCount === 0) return false;
      await this.inherit(session, dead);
      return true;
    });
  }

  private async inherit(session: Session, dead: string): Promise<void> {
    for (const inherit of this.heirs) await inherit(session, dead);
  }
}

const BEAT = `
  WITH beaten AS (
    INSERT INTO replica (id, beat) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET beat = replica.beat + 1
  )
  SELECT clock_timestamp()::text AS now,
    (SELECT coalesce(json_agg(r), '[]') FROM replica r) AS replicas,
    (SELECT coalesce(json_agg(a ORDER BY seq), '[]') FROM (
      SELECT seq, topic, body FROM announcement
      WHERE origin <> $1 AND at > $2::timestamptz - make_interval(secs => $3)
    ) a) AS announcements`;
const REMOVE = 'DELETE FROM replica WHERE id = $1';
const PURGE = 'DELETE FROM announcement WHERE at < clock_timestamp() - make_interval(secs => $1)';
