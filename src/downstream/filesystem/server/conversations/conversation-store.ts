import type { ProjectKey } from '../../../../text/lexical-index.js';
import type { ConversationInfo, Turn } from '../../filesystem.contract.js';

export type ConversationRow = Omit<ConversationInfo, 'turns'>;

/** `deleted_…` names what was deleted, so that the turn was not stored. */
export type TurnWritten = 'stored' | 'deleted_conversation' | 'deleted_turn' | 'deleted_project';

/** Conversations, and the tombstones of those that were deleted. */
export abstract class ConversationStore {
  abstract find(userId: string, conversationId: string): Promise<ConversationInfo | 'deleted' | undefined>;

  /**
   * Writes a turn, and `conversation` where it is new. A conversation without a project takes this one's; a project that
   * never existed counts as none. `askedAt` is the turn's time in milliseconds since 1970.
   */
  abstract putTurn(userId: string, conversation: ConversationRow, turn: Turn, askedAt: number): Promise<TurnWritten>;

  /** Newest first. */
  abstract list(
    userId: string,
    limit: number,
    offset: number,
  ): Promise<{ conversations: ConversationInfo[]; total: number }>;

  /** Does nothing where the conversation was deleted. */
  abstract rename(userId: string, conversationId: string, title: string): Promise<void>;

  /**
   * Removes the turns. The id stays used, also one that was never stored here, because its first turn may still arrive.
   * False where the conversation never existed.
   */
  abstract delete(userId: string, conversationId: string): Promise<boolean>;
}

export const projectOf = (userId: string, { project_id }: ConversationRow): ProjectKey | undefined =>
  project_id === null ? undefined : { userId, projectId: project_id };
