import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { ClientName } from '../config/config.schema.js';
import type { BreakerState } from './policy/circuit-breaker.js';
import type { ResilientClient } from './wire/resilient-client.js';

export interface StateChange {
  service: ClientName;
  from: BreakerState;
  to: BreakerState;
  why: string;
  /** Milliseconds since 1970. */
  at: number;
}

/** All clients of the process, for status, health and metrics. */
@Injectable()
export class ServiceRegistry {
  private readonly clients = new Map<string, ResilientClient>();
  private readonly listeners = new Set<(change: StateChange) => void>();
  private readonly copyListeners = new Set<(copy: ResilientClient, to: BreakerState) => void>();

  constructor(private readonly log: PinoLogger) {}

  /** @throws Error for a second client of one name: it would have a breaker of its own */
  add(client: ResilientClient): void {
    if (this.clients.has(client.service)) throw new Error(`there is already a client of ${client.service}`);
    this.clients.set(client.service, client);
  }

  all(): readonly ResilientClient[] {
    return [...this.clients.values()];
  }

  get(name: string): ResilientClient | undefined {
    return this.clients.get(name);
  }

  /** Calls a listener after each change of the breaker of one of several servers that each keep all data of a service. */
  onCopyChange(listener: (copy: ResilientClient, to: BreakerState) => void): void {
    this.copyListeners.add(listener);
  }

  announceCopy(copy: ResilientClient, to: BreakerState): void {
    for (const listener of this.copyListeners) listener(copy, to);
  }

  /** @returns a function that ends it */
  onStateChange(listener: (change: StateChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  announce(change: StateChange): void {
    for (const listener of this.listeners) {
      try {
        listener(change);
      } catch (error) {
        this.log.error({ err: error, service: change.service }, 'A listener of breaker states failed');
      }
    }
  }
}
