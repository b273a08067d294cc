import { Injectable, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';
import { FilesystemClient } from '../../downstream/filesystem/filesystem.client.js';
import { type Turn, turnSchema } from '../../downstream/filesystem/filesystem.contract.js';
import { Outbox, type Delivery } from '../../outbox/outbox.service.js';
import type { NewOutboxEntry, OutboxEntry, PendingFilter } from '../../outbox/outbox.store.js';
import { ProjectEvents } from '../projects/project-events.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';

const TOPIC = 'turn';
const payloadSchema = z.object({ conversation_id: z.string(), project_id: z.string().nullable(), turn: turnSchema });
type TurnPayload = z.output<typeof payloadSchema>;

/**
 * Turns that are not yet delivered: written when the question arrives, again while the answer grows, and sent to the
 * filesystem server when it is complete.
 */
@Injectable()
export class Turns implements OnModuleInit {
  constructor(
    private readonly filesystem: FilesystemClient,
    private readonly outbox: Outbox,
    private readonly events: ProjectEvents,
  ) {}

  onModuleInit(): void {
    this.events.onDelete((userId, projectId) => this.forget(userId, { projectId }));
    this.outbox.register({
      topic: TOPIC,
      service: 'filesystem',
      deliver: async (entry, call) => {
        const { conversation_id, project_id, turn } = payloadSchema.parse(entry.payload);
        const body = { project_id, turn: entry.recovered ? cutOff(turn) : turn };
        await this.filesystem.putTurn({ params: { conversation_id }, body }, call).catch((error: unknown) => {
          // The conversation or its project was deleted meanwhile, so the turn is dropped.
          if (!(error instanceof DownstreamError && error.status === 410)) throw error;
        });
      },
    });
  }

  /** While the outbox takes no writes, the turn is kept in memory: the answer goes on, and says that it is not stored. */
  async begin(userId: string, payload: TurnPayload): Promise<OpenTurn> {
    const [entry] = await this.outbox.holdInAnyCase([
      { topic: TOPIC, key: payload.conversation_id, userId, projectId: payload.project_id, payload },
    ]);
    return new OpenTurn(this.outbox, entry as OutboxEntry, payload);
  }

  /** Turns of a conversation that the filesystem server does not have yet, oldest first. */
  async pending(userId: string, conversationId: string): Promise<TurnPayload[]> {
    const entries = await this.outbox.store.pending(TOPIC, userId, { keys: [conversationId] });
    return entries.map((entry) => underWay(payloadSchema.parse(entry.payload)));
  }

  /** Such turns of all conversations of a user whose thread matches. */
  async pendingInThread(userId: string, thread: string): Promise<TurnPayload[]> {
    const entries = await this.outbox.store.pending(TOPIC, userId);
    return entries.map(({ payload }) => payloadSchema.parse(payload)).filter(({ turn }) => turn.thread === thread);
  }

  /** Drops turns that would be delivered to a deleted conversation. */
  async forget(userId: string, filter: PendingFilter): Promise<void> {
    await this.outbox.discard(await this.outbox.store.pending(TOPIC, userId, filter));
  }

  /** Drops one such turn. @returns whether it was not yet delivered */
  async forgetTurn(userId: string, conversationId: string, messageId: string): Promise<boolean> {
    const pending = await this.outbox.store.pending(TOPIC, userId, { keys: [conversationId] });
    const entries = pending.filter(({ payload }) => payloadSchema.parse(payload).turn.message_id === messageId);
    await this.outbox.discard(entries);
    return entries.length > 0;
  }
}

export class OpenTurn {
  constructor(
    private readonly outbox: Outbox,
    private readonly entry: OutboxEntry,
    private readonly payload: TurnPayload,
  ) {}

  /** Writes the answer as far as it is complete. */
  async keep(answer: Turn['answer']): Promise<void> {
    await this.outbox.update(this.entry, this.with({ answer }));
  }

  /** Sends the turn together with its charge, and returns within `waitMs` whether it is stored or queued. */
  async end(
    ending: Pick<Turn, 'answer' | 'thread'>,
    further: readonly NewOutboxEntry[],
    waitMs: number,
  ): Promise<Delivery> {
    const delivery = this.outbox.delivery(this.entry, waitMs);
    await this.outbox.release([this.entry], further, [{ id: this.entry.id, payload: this.with(ending) }]);
    return delivery;
  }

  /** Drops the turn of a question that was refused. */
  abandon(): Promise<void> {
    return this.outbox.discard([this.entry]);
  }

  private with(ending: Pick<Turn, 'answer' | 'thread'>): TurnPayload {
    return { ...this.payload, turn: { ...this.payload.turn, ...ending } };
  }
}

/** Adds the metadata that a delivered turn would have. */
function underWay(payload: TurnPayload): TurnPayload {
  const { answer } = payload.turn;
  if (answer.metadata['saved'] === undefined) return payload;
  const metadata = { ...answer.metadata, saved: 'queued' };
  return { ...payload, turn: { ...payload.turn, answer: { ...answer, metadata } } };
}

/** The turn of an answer whose process died: the text so far stays, marked as incomplete. */
function cutOff(turn: Turn): Turn {
  if (turn.answer.state !== 'pending') return turn;
  return { ...turn, answer: { ...turn.answer, state: turn.answer.text === '' ? 'failed' : 'partial' } };
}
