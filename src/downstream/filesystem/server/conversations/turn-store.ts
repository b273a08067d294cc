import type { DatabaseSync } from 'node:sqlite';
import { branchOf, parentsOf, placesOf, spanOf } from '../../../../contract/branch.js';
import { scrubSoon } from '../../../../storage/scrub.js';
import { transaction } from '../../../../storage/sqlite.js';
import { preparedBy } from '../../../../storage/statements.js';
import type { Feedback, StoredTurn, Turn, TurnsQuery } from '../../filesystem.contract.js';
import { ROOT } from './conversation-store.js';

/** How many threads with the same question and answer are read. */
const MAX_SAME_THREADS = 20;

interface Outlined {
  seq: number;
  message_id: string;
  parent_id: string | null | undefined;
}

export interface TurnPage {
  turns: StoredTurn[];
  offset: number;
  total: number;
}

/** The turns of conversations with their branches, and the tombstones of those that were deleted. */
export class TurnStore {
  private readonly prepared = preparedBy(this.db);

  constructor(private readonly db: DatabaseSync) {}

  /** Undefined where there is no turn that the query names. */
  page(userId: string, conversationId: string, query: TurnsQuery): TurnPage | undefined {
    const outline = this.outline(userId, conversationId);
    const places = placesOf(outline);
    const named = query.until ?? query.through;
    if (named !== undefined && !places.has(named)) return undefined;
    const page = spanOf(query.all === true ? outline : branchOf(outline, query), query);
    const turns = page.turns.map(({ seq, message_id }): StoredTurn => {
      return { ...this.read(seq), ...(places.get(message_id) ?? { parent_id: null }) };
    });
    return { ...page, turns };
  }

  findByThread(userId: string, thread: string): { conversation_id: string; message_id: string } | undefined {
    const rows = this.prepared(
      'SELECT conversation_id, message_id FROM turn WHERE user_id = ? AND thread = ? ORDER BY asked_at DESC, seq DESC LIMIT ?',
    ).all(userId, thread, MAX_SAME_THREADS) as unknown as { conversation_id: string; message_id: string }[];
    return rows.find((row) => !this.isFollowed(userId, row)) ?? rows[0];
  }

  private isFollowed(userId: string, turn: { conversation_id: string; message_id: string }): boolean {
    const parents = parentsOf(this.outline(userId, turn.conversation_id));
    return [...parents.values()].includes(turn.message_id);
  }

  isDeleted(userId: string, conversationId: string, messageId: string): boolean {
    const sql = 'SELECT 1 FROM deleted_turn WHERE user_id = ? AND conversation_id = ? AND message_id = ?';
    return this.prepared(sql).get(userId, conversationId, messageId) !== undefined;
  }

  /** The turns that followed it then follow the one before it. False where the turn never existed. */
  delete(userId: string, conversationId: string, messageId: string): boolean {
    scrubSoon(this.db);
    return transaction(this.db, () => {
      const outline = this.outline(userId, conversationId);
      const parents = parentsOf(outline);
      const parent = parents.get(messageId);
      const wasDeleted = this.isDeleted(userId, conversationId, messageId);
      this.prepared('INSERT OR IGNORE INTO deleted_turn VALUES (?, ?, ?)').run(userId, conversationId, messageId);
      if (parent === undefined) return wasDeleted;
      for (const { seq, message_id } of outline) {
        if (parents.get(message_id) !== messageId) continue;
        this.prepared('UPDATE turn SET parent = ? WHERE seq = ?').run(parent ?? ROOT, seq);
      }
      this.prepared('DELETE FROM turn WHERE user_id = ? AND conversation_id = ? AND message_id = ?').run(
        ...[userId, conversationId, messageId],
      );
      return true;
    });
  }

  /** False where there is no such turn. */
  setFeedback(userId: string, conversationId: string, messageId: string, feedback: Feedback | null): boolean {
    const json = feedback === null ? null : JSON.stringify(feedback);
    const sql = 'UPDATE turn SET feedback = ? WHERE user_id = ? AND conversation_id = ? AND message_id = ?';
    return this.prepared(sql).run(json, userId, conversationId, messageId).changes > 0;
  }

  /** Oldest first. */
  private outline(userId: string, conversationId: string): Outlined[] {
    const rows = this.prepared(
      'SELECT seq, message_id, parent FROM turn WHERE user_id = ? AND conversation_id = ? ORDER BY asked_at, seq',
    ).all(userId, conversationId) as unknown as { seq: number; message_id: string; parent: string | null }[];
    return rows.map(({ seq, message_id, parent }) => ({
      seq,
      message_id,
      parent_id: parent === null ? undefined : parent === ROOT ? null : parent,
    }));
  }

  private read(seq: number): Turn & { feedback?: Feedback } {
    const row = this.prepared(
      'SELECT message_id, created_at, question, answer, state, metadata, feedback FROM turn WHERE seq = ?',
    ).get(seq) as unknown as TurnRow;
    const { answer: text, state, metadata: json, feedback, ...turn } = row;
    const metadata = JSON.parse(json) as Record<string, unknown>;
    const finish_reason = metadata['finish_reason'] as Turn['answer']['finish_reason'];
    return {
      ...turn,
      answer: { text, state, ...(finish_reason === undefined ? {} : { finish_reason }), metadata },
      ...(feedback === null ? {} : { feedback: JSON.parse(feedback) as Feedback }),
    };
  }
}

interface TurnRow {
  message_id: string;
  created_at: string;
  question: string;
  answer: string;
  state: Turn['answer']['state'];
  metadata: string;
  feedback: string | null;
}
