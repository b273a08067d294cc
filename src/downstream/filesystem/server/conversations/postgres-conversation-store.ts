import type { ConversationInfo, Turn } from '../../filesystem.contract.js';
import type { PostgresDatabase, TextSession } from '../postgres-database.js';
import { type ConversationRow, ConversationStore, projectOf, type TurnWritten } from './conversation-store.js';
import { lockConversation } from './postgres-turn-store.js';
import { metadataOf, parentOf, RANK } from './turn-row.js';

const COLUMNS = 'conversation_id, project_id, title, created_at, updated_at';
const COUNT = `(SELECT count(*) FROM turn AS t
  WHERE t.user_id = c.user_id AND t.conversation_id = c.conversation_id) AS turns`;

export class PostgresConversationStore extends ConversationStore {
  constructor(private readonly database: PostgresDatabase) {
    super();
  }

  async find(userId: string, conversationId: string): Promise<ConversationInfo | 'deleted' | undefined> {
    const [row] = await this.database.read<ConversationInfo & { deleted: boolean }>(
      `SELECT ${COLUMNS}, ${COUNT}, deleted FROM conversation AS c WHERE user_id = $1 AND conversation_id = $2`,
      [userId, conversationId],
    );
    if (row === undefined) return undefined;
    const { deleted, ...conversation } = row;
    return deleted ? 'deleted' : conversation;
  }

  putTurn(userId: string, conversation: ConversationRow, turn: Turn, askedAt: number): Promise<TurnWritten> {
    const { conversation_id: id } = conversation;
    return this.database.transaction(async (session) => {
      await lockConversation(session, userId, id);
      // The project cannot be deleted until the turn is stored.
      const project = projectOf(userId, conversation);
      const stored =
        project === undefined
          ? undefined
          : await session.first<{ deleted: boolean }>(
              'SELECT deleted FROM project WHERE user_id = $1 AND project_id = $2 FOR SHARE',
              [project.userId, project.projectId],
            );
      const gone = await session.first<{ conversation: boolean | null; turn: boolean }>(
        `SELECT (SELECT deleted FROM conversation WHERE user_id = $1 AND conversation_id = $2) AS conversation,
           EXISTS (SELECT 1 FROM deleted_turn WHERE user_id = $1 AND conversation_id = $2 AND message_id = $3) AS turn`,
        [userId, id, turn.message_id],
      );
      if (gone?.conversation === true) return 'deleted_conversation';
      if (gone?.turn === true) return 'deleted_turn';
      if (stored?.deleted === true) return 'deleted_project';
      const known = stored === undefined ? { ...conversation, project_id: null } : conversation;
      return (await write(session, userId, known, turn, askedAt)) ? 'stored' : 'deleted_conversation';
    });
  }

  async list(
    userId: string,
    limit: number,
    offset: number,
  ): Promise<{ conversations: ConversationInfo[]; total: number }> {
    const [counted] = await this.database.read<{ total: number }>(
      'SELECT count(*) AS total FROM conversation WHERE user_id = $1 AND NOT deleted',
      [userId],
    );
    const conversations = await this.database.read<ConversationInfo>(
      `SELECT ${COLUMNS}, ${COUNT} FROM conversation AS c WHERE user_id = $1 AND NOT deleted
         ORDER BY updated_at DESC, conversation_id LIMIT $2 OFFSET $3`,
      [userId, limit, offset],
    );
    return { conversations, total: counted?.total ?? 0 };
  }

  async rename(userId: string, conversationId: string, title: string): Promise<void> {
    await this.database.write(
      'UPDATE conversation SET title = $3 WHERE user_id = $1 AND conversation_id = $2 AND NOT deleted',
      [userId, conversationId, title],
    );
  }

  delete(userId: string, conversationId: string): Promise<boolean> {
    const values = [userId, conversationId];
    return this.database.transaction(async (session) => {
      await lockConversation(session, userId, conversationId);
      await session.query('DELETE FROM turn WHERE user_id = $1 AND conversation_id = $2', values);
      await session.query('DELETE FROM deleted_turn WHERE user_id = $1 AND conversation_id = $2', values);
      const row = await session.first<{ created_at: string }>(
        `INSERT INTO conversation (user_id, conversation_id, title, created_at, updated_at, deleted)
           VALUES ($1, $2, '', '', '', true)
           ON CONFLICT (user_id, conversation_id) DO UPDATE SET title = '', deleted = true RETURNING created_at`,
        values,
      );
      return row?.created_at !== '';
    });
  }
}

/** The states that a stored turn may have so that this one replaces it. */
const replaceable = (state: Turn['answer']['state']) =>
  Object.entries(RANK).flatMap(([name, rank]) => (rank <= RANK[state] ? [name] : []));

/** False where the conversation was deleted meanwhile, with its project. */
async function write(
  session: TextSession,
  userId: string,
  conversation: ConversationRow,
  turn: Turn,
  askedAt: number,
): Promise<boolean> {
  const { conversation_id: id, project_id, title, created_at, updated_at } = conversation;
  const written = await session.query(
    `INSERT INTO conversation AS c (user_id, conversation_id, project_id, title, created_at, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (user_id, conversation_id) DO UPDATE SET updated_at = greatest(c.updated_at, excluded.updated_at),
         project_id = coalesce(c.project_id, excluded.project_id)
         WHERE NOT c.deleted RETURNING 1`,
    [userId, id, project_id, title, created_at, updated_at],
  );
  if (written.length === 0) return false;
  const { text, state } = turn.answer;
  await session.query(
    `INSERT INTO turn AS t
         (user_id, conversation_id, message_id, project_id, created_at, asked_at, parent, thread, question, answer,
          state, metadata)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
       ON CONFLICT (user_id, conversation_id, message_id) DO UPDATE SET
         created_at = excluded.created_at, asked_at = excluded.asked_at, question = excluded.question,
         thread = excluded.thread, answer = excluded.answer, state = excluded.state, metadata = excluded.metadata
         WHERE t.state = ANY($13)`,
    [
      ...[userId, id, turn.message_id, project_id, turn.created_at, askedAt, parentOf(turn), turn.thread ?? null],
      ...[turn.question, text, state, metadataOf(turn.answer), replaceable(state)],
    ],
  );
  return true;
}
