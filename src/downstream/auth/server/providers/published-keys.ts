import { Logger } from '@nestjs/common';
import { createLocalJWKSet, errors, type FlattenedJWSInput, type JSONWebKeySet, type JWSHeaderParameters } from 'jose';
import { type Outside, outsideAway } from './outside.js';

/** Used where the answer names no cache lifetime. */
const DEFAULT_LIFE_MS = 600_000;
/** The shortest time between two fetches, so that tokens with invented key ids cause no traffic. */
const MIN_INTERVAL_MS = 10_000;

export interface PublishedKeysOptions {
  /** The address of the JSON Web Key Set (RFC 7517), determined before each fetch of the keys. */
  locate: () => Promise<string>;
  now?: () => number;
  minIntervalMs?: number;
}

/**
 * The keys that an issuer publishes, cached for their lifetime. Keys that could not be renewed stay in use: valid
 * tokens are accepted while the issuer is unavailable. An unknown key id causes one early renewal.
 */
export class PublishedKeys {
  private readonly logger = new Logger(PublishedKeys.name);
  private keys: ReturnType<typeof createLocalJWKSet> | undefined;
  private freshUntil = -Infinity;
  private triedAt = -Infinity;
  /** Why the last renewal failed. */
  private failure: unknown;
  private renewing: Promise<void> | undefined;

  constructor(
    private readonly outside: Outside,
    private readonly options: PublishedKeysOptions,
  ) {}

  /**
   * @throws JWKSNoMatchingKey for a key that is not published, Problem 424 where this cannot be determined at the
   * moment
   */
  async keyFor(header: JWSHeaderParameters, token: FlattenedJWSInput) {
    if (this.now() >= this.freshUntil) await this.renew();
    try {
      if (this.keys !== undefined) return await this.keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    await this.renew();
    // The key may be among those that could not be fetched.
    if (this.keys === undefined || this.failure !== undefined) throw outsideAway(this.outside.name, this.failure);
    return this.keys(header, token);
  }

  /** Concurrent callers share one fetch. It never throws: `failure` holds its error. */
  private renew(): Promise<void> {
    if (this.now() - this.triedAt < (this.options.minIntervalMs ?? MIN_INTERVAL_MS)) {
      return this.renewing ?? Promise.resolve();
    }
    this.triedAt = this.now();
    this.renewing = this.fetch()
      .then(
        () => (this.failure = undefined),
        (error: unknown) => this.fail(error),
      )
      .then(() => (this.renewing = undefined));
    return this.renewing;
  }

  private fail(error: unknown): void {
    // Logged once for each outage.
    if (this.failure === undefined) {
      const meanwhile = this.keys === undefined ? 'no token can be verified' : 'the last good ones serve';
      this.logger.warn(`The keys of ${this.outside.name} can't be fetched, ${meanwhile}: ${String(error)}`);
    }
    this.failure = error;
  }

  private async fetch(): Promise<void> {
    const { status, headers, body } = await this.outside.call(await this.options.locate());
    if (status !== 200) throw new Error(`${this.outside.name} answered ${status}`);
    this.keys = createLocalJWKSet(body as JSONWebKeySet);
    this.freshUntil = this.now() + lifeMs(headers);
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }
}

function lifeMs(headers: Headers): number {
  const seconds = /(?:^|[,\s])max-age=(\d{1,9})/i.exec(headers.get('cache-control') ?? '')?.[1];
  return seconds === undefined ? DEFAULT_LIFE_MS : Number(seconds) * 1000;
}
