import type { DatabaseSync } from 'node:sqlite';
import { parentsOf } from '../../../../contract/branch.js';
import { scrubSoon } from '../../../../storage/scrub.js';
import { transaction } from '../../../../storage/sqlite.js';
import { preparedBy } from '../../../../storage/statements.js';
import type { Feedback, Turn } from '../../filesystem.contract.js';
import { type Outlined, outlined, ROOT, TURN_COLUMNS, type TurnRow, turnOf } from './turn-row.js';
import { type TurnName, TurnStore } from './turn-store.js';

export class SqliteTurnStore extends TurnStore {
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(private readonly db: DatabaseSync) {
    super();
    this.prepared = preparedBy(db);
  }

  async delete(userId: string, conversationId: string, messageId: string): Promise<boolean> {
    scrubSoon(this.db);
    return transaction(this.db, () => {
      const outline = this.outlineOf(userId, conversationId);
      const parents = parentsOf(outline);
      const parent = parents.get(messageId);
      const { changes } = this.prepared('INSERT OR IGNORE INTO deleted_turn VALUES (?, ?, ?)').run(
        ...[userId, conversationId, messageId],
      );
      if (parent === undefined) return changes === 0;
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

  async setFeedback(
    userId: string,
    conversationId: string,
    messageId: string,
    feedback: Feedback | null,
  ): Promise<boolean> {
    const json = feedback === null ? null : JSON.stringify(feedback);
    const sql = 'UPDATE turn SET feedback = ? WHERE user_id = ? AND conversation_id = ? AND message_id = ?';
    return this.prepared(sql).run(json, userId, conversationId, messageId).changes > 0;
  }

  protected async outline(userId: string, conversationId: string): Promise<Outlined[]> {
    return this.outlineOf(userId, conversationId);
  }

  protected async read(seqs: readonly number[]): Promise<Map<number, Turn & { feedback?: Feedback }>> {
    const select = this.prepared(`SELECT ${TURN_COLUMNS} FROM turn WHERE seq = ?`);
    const turns = new Map<number, Turn & { feedback?: Feedback }>();
    for (const seq of seqs) {
      const row = select.get(seq) as TurnRow | undefined;
      if (row !== undefined) turns.set(seq, turnOf(row));
    }
    return turns;
  }

  protected async withThread(userId: string, thread: string, limit: number): Promise<TurnName[]> {
    return this.prepared(
      `SELECT conversation_id, message_id FROM turn WHERE user_id = ? AND thread = ?
         ORDER BY asked_at DESC, seq DESC LIMIT ?`,
    ).all(userId, thread, limit) as unknown as TurnName[];
  }

  private outlineOf(userId: string, conversationId: string): Outlined[] {
    const rows = this.prepared(
      'SELECT seq, message_id, parent FROM turn WHERE user_id = ? AND conversation_id = ? ORDER BY asked_at, seq',
    ).all(userId, conversationId) as unknown as Parameters<typeof outlined>[0][];
    return rows.map(outlined);
  }
}
