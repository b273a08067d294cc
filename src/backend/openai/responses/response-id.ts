import { idSchema } from '../../edge/schemas.js';

/** A turn of a conversation, which is what an id of the Responses API stands for. */
export interface TurnId {
  conversation_id: string;
  message_id: string;
}

/** `resp_` a response, `msg_` its message, `rs_` its reasoning, `in_` its question. */
export type IdKind = 'resp' | 'msg' | 'rs' | 'in';

export const idOf = (kind: IdKind, { conversation_id, message_id }: TurnId) =>
  `${kind}_${conversation_id}.${message_id}`;

/** Undefined where it is no id of ours of this kind. */
export function parseId(kind: IdKind, id: string): TurnId | undefined {
  const match = /^([a-z]+)_([^.]+)\.([^.]+)$/.exec(id);
  const [conversation, message] = [idSchema.safeParse(match?.[2]), idSchema.safeParse(match?.[3])];
  if (match?.[1] !== kind || !conversation.success || !message.success) return undefined;
  return { conversation_id: conversation.data, message_id: message.data };
}
