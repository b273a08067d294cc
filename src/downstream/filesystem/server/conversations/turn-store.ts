import { branchOf, parentsOf, placesOf, spanOf } from '../../../../contract/branch.js';
import type { Feedback, StoredTurn, Turn, TurnsQuery } from '../../filesystem.contract.js';
import type { Outlined } from './turn-row.js';

/** How many threads with the same question and answer are read. */
export const MAX_SAME_THREADS = 20;

export interface TurnPage {
  turns: StoredTurn[];
  offset: number;
  total: number;
}

export interface TurnName {
  conversation_id: string;
  message_id: string;
}

/** The turns of conversations with their branches, and the tombstones of those that were deleted. */
export abstract class TurnStore {
  /** Undefined where there is no turn that the query names. */
  async page(userId: string, conversationId: string, query: TurnsQuery): Promise<TurnPage | undefined> {
    const outline = await this.outline(userId, conversationId);
    const places = placesOf(outline);
    const named = query.until ?? query.through;
    if (named !== undefined && !places.has(named)) return undefined;
    const page = spanOf(query.all === true ? outline : branchOf(outline, query), query);
    const read = await this.read(page.turns.map(({ seq }) => seq));
    const turns = page.turns.flatMap(({ seq, message_id }): StoredTurn[] => {
      const turn = read.get(seq);
      // A turn that was deleted meanwhile is left out.
      return turn === undefined ? [] : [{ ...turn, ...(places.get(message_id) ?? { parent_id: null }) }];
    });
    return { ...page, turns };
  }

  /** The newest turn with this thread, preferably one without a following turn. */
  async findByThread(userId: string, thread: string): Promise<TurnName | undefined> {
    const named = await this.withThread(userId, thread, MAX_SAME_THREADS);
    for (const turn of named) if (!(await this.isFollowed(userId, turn))) return turn;
    return named[0];
  }

  /** The turns that followed it then follow the one before it. False where the turn never existed. */
  abstract delete(userId: string, conversationId: string, messageId: string): Promise<boolean>;

  /** False where there is no such turn. */
  abstract setFeedback(
    userId: string,
    conversationId: string,
    messageId: string,
    feedback: Feedback | null,
  ): Promise<boolean>;

  /** Oldest first. */
  protected abstract outline(userId: string, conversationId: string): Promise<Outlined[]>;

  /** Turns by their `seq`. */
  protected abstract read(seqs: readonly number[]): Promise<Map<number, Turn & { feedback?: Feedback }>>;

  /** The newest turns with this thread, newest first. */
  protected abstract withThread(userId: string, thread: string, limit: number): Promise<TurnName[]>;

  private async isFollowed(userId: string, turn: TurnName): Promise<boolean> {
    const parents = parentsOf(await this.outline(userId, turn.conversation_id));
    return [...parents.values()].includes(turn.message_id);
  }
}
