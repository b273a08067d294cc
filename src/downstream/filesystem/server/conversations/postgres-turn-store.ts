import { parentsOf } from '../../../../contract/branch.js';
import type { Feedback, Turn } from '../../filesystem.contract.js';
import type { PostgresDatabase, TextSession } from '../postgres-database.js';
import { type Outlined, outlined, ROOT, TURN_COLUMNS, type TurnRow, turnOf } from './turn-row.js';
import { type TurnName, TurnStore } from './turn-store.js';

const OUTLINE = `SELECT seq, message_id, parent FROM turn WHERE user_id = $1 AND conversation_id = $2
  ORDER BY asked_at, seq`;
type OutlineRow = Parameters<typeof outlined>[0];

export class PostgresTurnStore extends TurnStore {
  constructor(private readonly database: PostgresDatabase) {
    super();
  }

  delete(userId: string, conversationId: string, messageId: string): Promise<boolean> {
    const values = [userId, conversationId, messageId];
    return this.database.transaction(async (session) => {
      await lockConversation(session, userId, conversationId);
      const outline = (await session.query<OutlineRow>(OUTLINE, [userId, conversationId])).map(outlined);
      const parents = parentsOf(outline);
      const parent = parents.get(messageId);
      const marked = await session.query(
        'INSERT INTO deleted_turn VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1',
        values,
      );
      if (parent === undefined) return marked.length === 0;
      const followers = outline.filter(({ message_id }) => parents.get(message_id) === messageId);
      await session.query('UPDATE turn SET parent = $1 WHERE seq = ANY($2)', [
        parent ?? ROOT,
        followers.map(({ seq }) => seq),
      ]);
      await session.query('DELETE FROM turn WHERE user_id = $1 AND conversation_id = $2 AND message_id = $3', values);
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
    const sql = 'UPDATE turn SET feedback = $4 WHERE user_id = $1 AND conversation_id = $2 AND message_id = $3';
    return (await this.database.write(sql, [userId, conversationId, messageId, json])) > 0;
  }

  protected async outline(userId: string, conversationId: string): Promise<Outlined[]> {
    return (await this.database.read<OutlineRow>(OUTLINE, [userId, conversationId])).map(outlined);
  }

  protected async read(seqs: readonly number[]): Promise<Map<number, Turn & { feedback?: Feedback }>> {
    if (seqs.length === 0) return new Map();
    const rows = await this.database.read<TurnRow & { seq: number }>(
      `SELECT seq, ${TURN_COLUMNS} FROM turn WHERE seq = ANY($1)`,
      [seqs],
    );
    return new Map(rows.map(({ seq, ...row }) => [seq, turnOf(row)]));
  }

  protected withThread(userId: string, thread: string, limit: number): Promise<TurnName[]> {
    return this.database.read<TurnName & Record<string, string>>(
      `SELECT conversation_id, message_id FROM turn WHERE user_id = $1 AND thread = $2
         ORDER BY asked_at DESC, seq DESC LIMIT $3`,
      [userId, thread, limit],
    );
  }
}

/**
 * Lets other changes of a conversation wait until the transaction ends. The conversation need not exist: a deletion may
 * arrive before the first turn.
 */
export async function lockConversation(session: TextSession, userId: string, conversationId: string): Promise<void> {
  const name = JSON.stringify([userId, conversationId]);
  await session.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
}
