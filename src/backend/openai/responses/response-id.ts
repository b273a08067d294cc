import { idSchema } from '../../edge/schemas.js';

/** The turn of a conversation that an id of the Responses API encodes. */
export interface TurnId {
  conversation_id: string;
  message_id: string;
}

/** `resp_` for a response, `msg_` for its message, `rs_` for its reasoning, `in_` for its question. */
export type IdKind = 'resp' | 'msg' | 'rs' | 'in';

export const idOf = (kind: IdKind, { conversation_id, message_id }: TurnId) =>
  `${kind}_${conversation_id}.${message_id}`;

/** Undefined where the id is not one of ours of this kind. */
export function parseId(kind: IdKind, id: string): TurnId | undefined {
  const match = /^([a-z]+)_([^.]+)\.([^.]+)$/.exec(id);
  const [conversation, message] = [idSchema.safeParse(match?.[2]), idSchema.safeParse(match?.[3])];
  if (match?.[1] !== kind || !conversation.success || !message.success) return undefined;
  return { conversation_id: conversation.data, message_id: message.data };
}
