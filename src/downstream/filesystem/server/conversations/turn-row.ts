import type { Feedback, Turn } from '../../filesystem.contract.js';

type State = Turn['answer']['state'];

/** The value of the column `parent` for the first turn of a branch. */
export const ROOT = '';

/** The order of the states by how much of the answer they have: a turn never goes back to a lower one. */
export const RANK: Record<State, number> = { pending: 0, failed: 1, partial: 2, complete: 3 };

/** The columns of a turn that are read together. */
export interface TurnRow {
  message_id: string;
  created_at: string;
  question: string;
  answer: string;
  state: State;
  metadata: string;
  feedback: string | null;
}

export const TURN_COLUMNS = 'message_id, created_at, question, answer, state, metadata, feedback';

/** A turn and its place among the others of its conversation. */
export interface Outlined {
  seq: number;
  message_id: string;
  parent_id: string | null | undefined;
}

export function outlined({
  seq,
  message_id,
  parent,
}: {
  seq: number;
  message_id: string;
  parent: string | null;
}): Outlined {
  return { seq, message_id, parent_id: parent === null ? undefined : parent === ROOT ? null : parent };
}

/** The column `parent` of a turn: null where the client named none. */
export const parentOf = ({ parent_id }: Turn): string | null => (parent_id === undefined ? null : (parent_id ?? ROOT));

export function metadataOf({ metadata, finish_reason }: Turn['answer']): string {
  return JSON.stringify({ ...metadata, ...(finish_reason === undefined ? {} : { finish_reason }) });
}

export function turnOf({
  answer: text,
  state,
  metadata: json,
  feedback,
  ...turn
}: TurnRow): Turn & { feedback?: Feedback } {
  const metadata = JSON.parse(json) as Record<string, unknown>;
  const finish_reason = metadata['finish_reason'] as Turn['answer']['finish_reason'];
  return {
    ...turn,
    answer: { text, state, ...(finish_reason === undefined ? {} : { finish_reason }), metadata },
    ...(feedback === null ? {} : { feedback: JSON.parse(feedback) as Feedback }),
  };
}
