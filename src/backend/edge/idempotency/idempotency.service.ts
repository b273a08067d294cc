import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { badRequest, Problem } from '../../../http/problem.js';
import { isStorageBusy } from '../../../storage/storage-errors.js';
import type { Claim } from '../../call/claim.js';
import { Deletions } from '../../call/deletions.js';
import { bufferedFiles } from '../multipart.js';
import { AnswerStore, GONE, type KeptAnswer } from './answer.store.js';

/** How often a request asks for the answer on which another backend works. */
const POLL_MS = 100;
/** How long before its own deadline such a request gives up. */
const MARGIN_MS = 200;
const RETRY_MS = 1000;
/** An answer that the store does not take is offered this often. */
const MAX_TRIES = 300;

type Answer = NonNullable<Claim['answer']>;

/** Answers a repeated `Idempotency-Key` with the first answer. */
@Injectable()
export class Idempotency implements OnApplicationShutdown {
  /** The first requests of keys whose answers are not complete. */
  private readonly running = new Map<string, Promise<unknown>>();
  /** Answers that the store has not taken yet. */
  private readonly unstored = new Map<string, Answer>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly store: AnswerStore,
    deletions: Deletions,
    private readonly log: PinoLogger,
  ) {
    deletions.onDelete((deletion) => store.forget(deletion));
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.store.close();
  }

  /**
   * The claim of a request that carries a key; undefined without one.
   * @throws Problem 400 for a malformed key, 410 for a deleted answer, 422 for a key that was used with another request before
   */
  async claim(request: FastifyRequest, userId: string): Promise<Claim | undefined> {
    const key = request.headers['idempotency-key'];
    if (key === undefined) return undefined;
    if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw badRequest('invalid_idempotency_key', 'idempotency-key: 1 to 255 visible ASCII characters are needed');
    }
    const fingerprint = await fingerprintOf(request);
    return { userId, key, fingerprint, answer: await this.answerTo({ userId, key, fingerprint }) };
  }

  /**
   * Runs `work` for the first request of a key. Repetitions that arrive before its claim is completed or released get
   * the same result. An error of `work` releases the claim. Where another backend works on the answer, it is awaited, and
   * `replay` makes the result of it.
   * @throws Problem 409 `idempotency_in_progress` where that takes longer than this request may
   */
  once<T>(
    claim: Claim,
    call: { deadlineMs: number; signal: AbortSignal },
    { work, replay }: { work: () => Promise<T>; replay: (answer: Answer) => T },
  ): Promise<T> {
    const running = this.running.get(nameOf(claim)) as Promise<T> | undefined;
    if (running !== undefined) return running;
    const first = this.taken(claim, call).then((answer) => {
      if (answer === null) return this.begin(claim, work);
      this.running.delete(nameOf(claim));
      return replay(answer);
    });
    this.running.set(nameOf(claim), first);
    first.catch(() => this.running.delete(nameOf(claim)));
    return first;
  }

  /** Keeps the answer. Where the store takes no writes now, it is kept here until the store has it. */
  async complete(claim: Claim, answer: Answer): Promise<void> {
    this.unstored.set(nameOf(claim), answer);
    this.running.delete(nameOf(claim));
    if (await this.keep(claim, answer)) return;
    void this.keepLater(claim, answer);
  }

  /** The request was refused or failed: its key may be used again. */
  async release(claim: Claim): Promise<void> {
    this.running.delete(nameOf(claim));
    await this.store.release(claim).catch((error: unknown) => {
      this.log.warn({ err: error }, 'An idempotency key could not be released');
    });
  }

  private async begin<T>(claim: Claim, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await this.release(claim);
      throw error;
    }
  }

  /** Waits until this process may work on the answer, or until there is one. */
  private async taken(claim: Claim, call: { deadlineMs: number; signal: AbortSignal }): Promise<Answer | null> {
    while (!(await this.store.take(claim, Date.now()))) {
      const answer = await this.answerTo(claim);
      if (answer !== null) return answer;
      if (call.signal.aborted || performance.now() > call.deadlineMs - MARGIN_MS) throw inProgress();
      await sleep(POLL_MS);
    }
    return null;
  }

  /** @throws Problem 410, 422 */
  private async answerTo(claim: Pick<Claim, 'userId' | 'key' | 'fingerprint'>): Promise<Answer | null> {
    const kept: KeptAnswer = await this.store.claim(claim, Date.now());
    if (kept.fingerprint !== claim.fingerprint) {
      throw new Problem({
        status: 422,
        code: 'idempotency_key_reused',
        detail: 'idempotency-key: this key came with another request before; take a new key for a new request',
      });
    }
    if (kept.answer === GONE) {
      const detail =
        'idempotency-key: the first answer was about something that was deleted since, and is gone with it';
      throw new Problem({ status: 410, code: 'deleted', detail });
    }
    if (kept.answer !== null) return JSON.parse(kept.answer) as Answer;
    return this.unstored.get(nameOf(claim)) ?? null;
  }

  /** @returns false where the store takes no writes now */
  private async keep(claim: Claim, answer: Answer): Promise<boolean> {
    try {
      await this.store.complete(claim, JSON.stringify(answer), claim.about);
    } catch (error) {
      if (isStorageBusy(error)) return false;
      this.unstored.delete(nameOf(claim));
      throw error;
    }
    this.unstored.delete(nameOf(claim));
    return true;
  }

  private async keepLater(claim: Claim, answer: Answer): Promise<void> {
    try {
      for (let tries = 0; tries < MAX_TRIES && !this.stopping.signal.aborted; tries++) {
        await sleep(RETRY_MS, undefined, { ref: false });
        if (await this.keep(claim, answer)) return;
      }
    } catch (error) {
      this.log.warn({ err: error }, 'An answer could not be kept for its idempotency key');
    }
    this.unstored.delete(nameOf(claim));
  }
}

const nameOf = ({ userId, key }: Pick<Claim, 'userId' | 'key'>) => `${userId}/${key}`;

const inProgress = () =>
  new Problem({
    status: 409,
    code: 'idempotency_in_progress',
    detail: 'idempotency-key: the first request with this key is still being answered; repeat it later',
    retryAfter: 1,
  });

/**
 * A digest of the target and content of a request. The boundary of a multipart body is excluded, because it differs
 * each time.
 */
async function fingerprintOf(request: FastifyRequest): Promise<string> {
  const hash = createHash('sha256').update(`${request.method} ${request.url}\n`);
  if (request.isMultipart()) {
    for (const { filename, mimetype, bytes } of await bufferedFiles(request)) {
      hash.update(JSON.stringify([filename, mimetype, bytes.length])).update(bytes);
    }
  } else hash.update(Buffer.isBuffer(request.body) ? request.body : JSON.stringify(request.body ?? null));
  return hash.digest('hex');
}
