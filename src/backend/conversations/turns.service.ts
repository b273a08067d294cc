import { Injectable, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';
import { FilesystemClient } from '../../downstream/filesystem/filesystem.client.js';
import { type Turn, turnSchema } from '../../downstream/filesystem/filesystem.contract.js';
import { Outbox, type Delivery } from '../../outbox/outbox.service.js';
import type { NewOutboxEntry, OutboxEntry } from '../../outbox/outbox.store.js';
import { ProjectEvents } from '../projects/project-events.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';

const TOPIC = 'turn';
const payloadSchema = z.object({ conversation_id: z.string(), project_id: z.string().nullable(), turn: turnSchema });
type TurnPayload = z.output<typeof payloadSchema>;

/**
 * Turns on their way into their conversation: written down when the question arrives, again while the answer grows, and
 * sent to the filesystem server when it is complete.
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
          // The conversation or its project was deleted meanwhile: so is what would have come.
          if (!(error instanceof DownstreamError && error.status === 410)) throw error;
        });
      },
    });
  }

  async begin(userId: string, payload: TurnPayload): Promise<OpenTurn> {
    const [entry] = await this.outbox.hold([
      { topic: TOPIC, key: payload.conversation_id, userId, projectId: payload.project_id, payload },
    ]);
    return new OpenTurn(this.outbox, entry as OutboxEntry, payload);
  }

  /** Turns of a conversation that the filesystem server does not have yet, oldest first. */
  async pending(userId: string, conversationId: string): Promise<TurnPayload[]> {
    const entries = await this.outbox.store.pending(TOPIC, userId, { key: conversationId });
    return entries.map((entry) => underWay(payloadSchema.parse(entry.payload)));
  }

  /** The same of one user's conversations together that a client's thread may go on from. */
  async pendingInThread(userId: string, thread: string): Promise<TurnPayload[]> {
    const entries = await this.outbox.store.pending(TOPIC, userId);
    return entries.map(({ payload }) => payloadSchema.parse(payload)).filter(({ turn }) => turn.thread === thread);
  }

  /** Drops what would have been delivered to a conversation that is deleted. */
  async forget(userId: string, filter: { key?: string; projectId?: string }): Promise<void> {
    await this.outbox.discard(await this.outbox.store.pending(TOPIC, userId, filter));
  }

  /** The same of one turn. @returns whether it was under way */
  async forgetTurn(userId: string, conversationId: string, messageId: string): Promise<boolean> {
    const pending = await this.outbox.store.pending(TOPIC, userId, { key: conversationId });
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

  /** Writes down the answer as far as it is. */
  async keep(answer: Turn['answer']): Promise<void> {
    await this.outbox.update(this.entry, this.with({ answer }));
  }

  /** Sends the turn off, with what else is owed for it, and says how it fares within `waitMs`. */
  async end(
    ending: Pick<Turn, 'answer' | 'thread'>,
    further: readonly NewOutboxEntry[],
    waitMs: number,
  ): Promise<Delivery> {
    const delivery = this.outbox.delivery(this.entry, waitMs);
    await this.outbox.release([this.entry], further, [{ id: this.entry.id, payload: this.with(ending) }]);
    return delivery;
  }

  /** The question was refused: it is no turn. */
  abandon(): Promise<void> {
    return this.outbox.discard([this.entry]);
  }

  private with(ending: Pick<Turn, 'answer' | 'thread'>): TurnPayload {
    return { ...this.payload, turn: { ...this.payload.turn, ...ending } };
  }
}

/** Its metadata are those of a turn that has arrived. */
function underWay(payload: TurnPayload): TurnPayload {
  const { answer } = payload.turn;
  if (answer.metadata['saved'] === undefined) return payload;
  const metadata = { ...answer.metadata, saved: 'queued' };
  return { ...payload, turn: { ...payload.turn, answer: { ...answer, metadata } } };
}

/** The process that wrote the answer died over it: what there is of it stays, and says so. */
function cutOff(turn: Turn): Turn {
  if (turn.answer.state !== 'pending') return turn;
  return { ...turn, answer: { ...turn.answer, state: turn.answer.text === '' ? 'failed' : 'partial' } };
}
