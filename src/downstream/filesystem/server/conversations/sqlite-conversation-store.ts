import type { DatabaseSync } from 'node:sqlite';
import { preparedBy } from '../../../../storage/statements.js';
import { scrubSoon } from '../../../../storage/scrub.js';
import { transaction } from '../../../../storage/sqlite.js';
import type { ConversationInfo, Turn } from '../../filesystem.contract.js';
import { projectState } from '../projects/sqlite-project-store.js';
import { type ConversationRow, ConversationStore, projectOf, type TurnWritten } from './conversation-store.js';
import { metadataOf, parentOf, RANK } from './turn-row.js';

const COLUMNS = 'conversation_id, project_id, title, created_at, updated_at';
const COUNT = `(SELECT COUNT(*) FROM turn AS t
  WHERE t.user_id = c.user_id AND t.conversation_id = c.conversation_id) AS turns`;

export class SqliteConversationStore extends ConversationStore {
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(private readonly db: DatabaseSync) {
    super();
    this.prepared = preparedBy(db);
  }

  async find(userId: string, conversationId: string): Promise<ConversationInfo | 'deleted' | undefined> {
    const row = this.prepared(
      `SELECT ${COLUMNS}, ${COUNT}, deleted FROM conversation AS c WHERE user_id = ? AND conversation_id = ?`,
    ).get(userId, conversationId);
    if (row === undefined) return undefined;
    const { deleted, ...conversation } = row;
    return deleted === 1 ? 'deleted' : (conversation as unknown as ConversationInfo);
  }

  async putTurn(userId: string, conversation: ConversationRow, turn: Turn, askedAt: number): Promise<TurnWritten> {
    return transaction(this.db, () => {
      const project = projectOf(userId, conversation);
      const state = project && projectState(this.prepared, project);
      if (this.isDeleted(userId, conversation.conversation_id)) return 'deleted_conversation';
      if (this.isTurnDeleted(userId, conversation.conversation_id, turn.message_id)) return 'deleted_turn';
      if (state === 'deleted') return 'deleted_project';
      this.write(userId, state === undefined ? { ...conversation, project_id: null } : conversation, turn, askedAt);
      return 'stored';
    });
  }

  private write(userId: string, conversation: ConversationRow, turn: Turn, askedAt: number): void {
    const { conversation_id: id, project_id, title, created_at, updated_at } = conversation;
    this.prepared(
      `INSERT INTO conversation (user_id, conversation_id, project_id, title, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET updated_at = max(updated_at, excluded.updated_at),
           project_id = coalesce(project_id, excluded.project_id)`,
    ).run(userId, id, project_id, title, created_at, updated_at);
    const stored = this.prepared(
      'SELECT state FROM turn WHERE user_id = ? AND conversation_id = ? AND message_id = ?',
    ).get(userId, id, turn.message_id) as { state: Turn['answer']['state'] } | undefined;
    const { text, state } = turn.answer;
    if (stored !== undefined && RANK[stored.state] > RANK[state]) return;
    this.prepared(
      `INSERT INTO turn
           (user_id, conversation_id, message_id, project_id, created_at, asked_at, parent, thread, question, answer,
            state, metadata)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (user_id, conversation_id, message_id) DO UPDATE SET
           created_at = excluded.created_at, asked_at = excluded.asked_at, question = excluded.question,
           thread = excluded.thread, answer = excluded.answer, state = excluded.state, metadata = excluded.metadata`,
    ).run(
      ...[userId, id, turn.message_id, project_id, turn.created_at, askedAt, parentOf(turn), turn.thread ?? null],
      ...[turn.question, text, state, metadataOf(turn.answer)],
    );
  }

  private isDeleted(userId: string, conversationId: string): boolean {
    const sql = 'SELECT deleted FROM conversation WHERE user_id = ? AND conversation_id = ?';
    return this.prepared(sql).get(userId, conversationId)?.['deleted'] === 1;
  }

  private isTurnDeleted(userId: string, conversationId: string, messageId: string): boolean {
    const sql = 'SELECT 1 FROM deleted_turn WHERE user_id = ? AND conversation_id = ? AND message_id = ?';
    return this.prepared(sql).get(userId, conversationId, messageId) !== undefined;
  }

  async list(
    userId: string,
    limit: number,
    offset: number,
  ): Promise<{ conversations: ConversationInfo[]; total: number }> {
    const total = this.prepared('SELECT COUNT(*) AS total FROM conversation WHERE user_id = ? AND deleted = 0').get(
      userId,
    );
    const conversations = this.prepared(
      `SELECT ${COLUMNS}, ${COUNT} FROM conversation AS c WHERE user_id = ? AND deleted = 0
         ORDER BY updated_at DESC, conversation_id LIMIT ? OFFSET ?`,
    ).all(userId, limit, offset);
    return { conversations: conversations as unknown as ConversationInfo[], total: Number(total?.['total']) };
  }

  async rename(userId: string, conversationId: string, title: string): Promise<void> {
    this.prepared('UPDATE conversation SET title = ? WHERE user_id = ? AND conversation_id = ? AND deleted = 0').run(
      title,
      userId,
      conversationId,
    );
  }

  async delete(userId: string, conversationId: string): Promise<boolean> {
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
