/** A turn and, where its asker said so, the turn it follows; null: it is the first of its branch. */
export interface Linked {
  message_id: string;
  parent_id?: string | null | undefined;
}

/**
 * The turn that each turn follows; `turns` are oldest first. One that names no other, or one that is not there, follows the
 * turn asked before it.
 */
export function parentsOf(turns: readonly Linked[]): Map<string, string | null> {
  const parents = new Map<string, string | null>();
  let before: string | null = null;
  for (const { message_id, parent_id } of turns) {
    const isNamed: boolean = parent_id === null || (parent_id !== undefined && parents.has(parent_id));
    parents.set(message_id, isNamed ? (parent_id as string | null) : before);
    before = message_id;
  }
  return parents;
}

/** `until`: the branch ends with this turn; `through`: it goes on from this turn to the newest behind it. */
export interface BranchChoice {
  until?: string | undefined;
  through?: string | undefined;
}

/** The turns of one branch, oldest first; without a choice, of that which ends with the newest turn. */
export function branchOf<T extends Linked>(turns: readonly T[], { until, through }: BranchChoice = {}): T[] {
  const parents = parentsOf(turns);
  const tip = until ?? (through === undefined ? turns.at(-1)?.message_id : newestBehind(through, parents));
  const members = new Set<string>();
  for (let id: string | null | undefined = tip; id !== null && id !== undefined; id = parents.get(id)) members.add(id);
  return turns.filter(({ message_id }) => members.has(message_id));
}

function newestBehind(through: string, parents: ReadonlyMap<string, string | null>): string {
  const behind = new Set([through]);
  let newest = through;
  for (const [id, parent] of parents) {
    if (parent === null || !behind.has(parent)) continue;
    behind.add(id);
    newest = id;
  }
  return newest;
}

export interface Place {
  parent_id: string | null;
  /** All versions of the turn, itself included, in the order in which they were asked; missing where it is the only one. */
  siblings?: string[];
}

/** Where each turn stands. */
export function placesOf(turns: readonly Linked[]): Map<string, Place> {
  const parents = parentsOf(turns);
  const byParent = Map.groupBy(parents.keys(), (id) => parents.get(id) ?? null);
  const place = (parent_id: string | null): Place => {
    const siblings = byParent.get(parent_id) ?? [];
    return siblings.length > 1 ? { parent_id, siblings } : { parent_id };
  };
  return new Map([...parents].map(([id, parent]) => [id, place(parent)]));
}

/** The newest `last`, or `limit` from place `offset` on. */
export interface Span {
  last?: number | undefined;
  limit?: number | undefined;
  offset?: number | undefined;
}

export function spanOf<T>(turns: readonly T[], { last, limit = Infinity, offset = 0 }: Span) {
  const from = last === undefined ? Math.min(offset, turns.length) : Math.max(0, turns.length - last);
  return { turns: turns.slice(from, last === undefined ? from + limit : undefined), offset: from, total: turns.length };
}
