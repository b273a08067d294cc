import type { DatabaseSync } from 'node:sqlite';
import { preparedBy } from '../../../../storage/statements.js';
import { scrubSoon } from '../../../../storage/scrub.js';
import { transaction } from '../../../../storage/sqlite.js';
import type { ConversationInfo, Turn } from '../../filesystem.contract.js';

export type ConversationRow = Omit<ConversationInfo, 'turns'>;

const COLUMNS = 'conversation_id, project_id, title, created_at, updated_at';
const COUNT = `(SELECT COUNT(*) FROM turn AS t
  WHERE t.user_id = c.user_id AND t.conversation_id = c.conversation_id) AS turns`;

/** The value of the column `parent` for the first turn of a branch. */
export const ROOT = '';

/** The order of the states by how much of the answer they have: a turn never goes back to a lower one. */
const RANK: Record<Turn['answer']['state'], number> = { pending: 0, failed: 1, partial: 2, complete: 3 };

/** Conversations with their turns, and the tombstones of those that were deleted. */
export class ConversationStore {
  private readonly prepared = preparedBy(this.db);

  constructor(private readonly db: DatabaseSync) {}

  find(userId: string, conversationId: string): ConversationInfo | 'deleted' | undefined {
    const row = this.prepared(
      `SELECT ${COLUMNS}, ${COUNT}, deleted FROM conversation AS c WHERE user_id = ? AND conversation_id = ?`,
    ).get(userId, conversationId);
    if (row === undefined) return undefined;
    const { deleted, ...conversation } = row;
    return deleted === 1 ? 'deleted' : (conversation as unknown as ConversationInfo);
  }

  /**
   * Writes a turn, and `conversation` where it is new. A conversation without a project takes this one's. `askedAt` is
   * the turn's time in milliseconds since 1970.
   */
  putTurn(userId: string, conversation: ConversationRow, turn: Turn, askedAt: number): void {
    const { conversation_id: id, project_id, title, created_at, updated_at } = conversation;
    transaction(this.db, () => {
      this.prepared(
        `INSERT INTO conversation (user_id, conversation_id, project_id, title, created_at, updated_at)
           VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET updated_at = max(updated_at, excluded.updated_at),
             project_id = coalesce(project_id, excluded.project_id)`,
      ).run(userId, id, project_id, title, created_at, updated_at);
      const stored = this.prepared(
        'SELECT state FROM turn WHERE user_id = ? AND conversation_id = ? AND message_id = ?',
      ).get(userId, id, turn.message_id) as { state: Turn['answer']['state'] } | undefined;
      if (stored !== undefined && RANK[stored.state] > RANK[turn.answer.state]) return;
      const { text, state, finish_reason, metadata } = turn.answer;
      this.prepared(
        `INSERT INTO turn
             (user_id, conversation_id, message_id, project_id, created_at, asked_at, parent, thread, question, answer,
              state, metadata)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (user_id, conversation_id, message_id) DO UPDATE SET
             created_at = excluded.created_at, asked_at = excluded.asked_at, question = excluded.question,
             thread = excluded.thread, answer = excluded.answer, state = excluded.state, metadata = excluded.metadata`,
      ).run(
        ...[userId, id, turn.message_id, project_id, turn.created_at, askedAt],
        ...[
          turn.parent_id === undefined ? null : (turn.parent_id ?? ROOT),
          turn.thread ?? null,
          turn.question,
          text,
          state,
          JSON.stringify({ ...metadata, ...(finish_reason === undefined ? {} : { finish_reason }) }),
        ],
      );
    });
  }

  /** Newest first. */
  list(userId: string, limit: number, offset: number): { conversations: ConversationInfo[]; total: number } {
    const total = this.prepared('SELECT COUNT(*) AS total FROM conversation WHERE user_id = ? AND deleted = 0').get(
      userId,
    );
    const conversations = this.prepared(
      `SELECT ${COLUMNS}, ${COUNT} FROM conversation AS c WHERE user_id = ? AND deleted = 0
         ORDER BY updated_at DESC, conversation_id LIMIT ? OFFSET ?`,
    ).all(userId, limit, offset);
    return { conversations: conversations as unknown as ConversationInfo[], total: Number(total?.['total']) };
  }

  rename(userId: string, conversationId: string, title: string): void {
    this.prepared('UPDATE conversation SET title = ? WHERE user_id = ? AND conversation_id = ?').run(
      title,
      userId,
      conversationId,
    );
  }

  /**
   * Removes the turns. The id stays used, also one that was never stored here, because its first turn may still arrive.
   * False where the conversation never existed.
   */
  delete(userId: string, conversationId: string): boolean {
    scrubSoon(this.db);
    return transaction(this.db, () => {
      this.prepared('DELETE FROM turn WHERE user_id = ? AND conversation_id = ?').run(userId, conversationId);
      this.prepared('DELETE FROM deleted_turn WHERE user_id = ? AND conversation_id = ?').run(userId, conversationId);
      const row = this.prepared(
        `INSERT INTO conversation (user_id, conversation_id, title, created_at, updated_at, deleted)
           VALUES (?, ?, '', '', '', 1) ON CONFLICT DO UPDATE SET title = '', deleted = 1 RETURNING created_at`,
      ).get(userId, conversationId);
      return row?.['created_at'] !== '';
    });
  }
}
