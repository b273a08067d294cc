import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { REPLICAS } from '../../replicas/replicas.module.js';
import type { Replicas } from '../../replicas/replicas.js';

/** A deleted object: a document of a project, a project with all its data, a conversation, one turn of it, or an account. */
export type Deletion = { userId: string } & (
  | { kind: 'document'; projectId: string }
  | { kind: 'project'; projectId: string }
  | { kind: 'conversation'; conversationId: string }
  | { kind: 'turn'; conversationId: string; messageId: string }
  | { kind: 'account' }
);

/** The objects that an answer depends on, for the stores that keep answers. */
export interface About {
  projectId: string | null;
  conversationId?: string;
  messageId?: string;
}

/**
 * Whether an answer must be deleted with the deleted object. An answer that quotes from a project may quote the deleted
 * document.
 */
export function isAbout({ projectId, conversationId, messageId }: About, deletion: Deletion): boolean {
  if (deletion.kind === 'account') return true;
  if (deletion.kind === 'turn') return deletion.messageId === messageId && deletion.conversationId === conversationId;
  if (deletion.kind === 'conversation') return deletion.conversationId === conversationId;
  return deletion.projectId === projectId && (deletion.kind === 'project' || conversationId !== undefined);
}

const TOPIC = 'deletion';

/** Announces deletions to the stores and caches that keep answers, also to those of other backends. */
@Injectable()
export class Deletions {
  private readonly listeners = new Set<(deletion: Deletion) => void | Promise<void>>();

  constructor(
    @Inject(REPLICAS) private readonly replicas: Replicas | null,
    private readonly log: PinoLogger,
  ) {
    replicas?.on(TOPIC, (deletion) => void this.tell(deletion as Deletion));
  }

  onDelete(listener: (deletion: Deletion) => void | Promise<void>): void {
    this.listeners.add(listener);
  }

  /** Returns when the stores of this backend have deleted what they kept. */
  async deleted(deletion: Deletion): Promise<void> {
    const announced = this.replicas?.announce(TOPIC, deletion).catch((error: unknown) => {
      this.log.error(
        { err: error },
        'A deletion could not be announced: other backends may answer from it for a while',
      );
    });
    await Promise.all([this.tell(deletion), announced]);
  }

  private async tell(deletion: Deletion): Promise<void> {
    const told = await Promise.allSettled([...this.listeners].map(async (listener) => listener(deletion)));
    for (const one of told) {
      if (one.status === 'rejected')
        this.log.error({ err: one.reason as unknown }, 'A kept answer could not be deleted');
    }
  }
}
