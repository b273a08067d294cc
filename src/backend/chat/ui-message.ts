import { z } from 'zod';
import { badRequest, Problem } from '../../http/problem.js';
import { idSchema } from '../edge/schemas.js';
import type { PriorMessage } from './prompt.js';

/** A message as the AI SDK's `useChat` keeps it: text in parts (since version 5), or in `content` (before). */
export const uiMessageSchema = z
  .looseObject({
    id: z.string().max(200).optional(),
    role: z.enum(['system', 'user', 'assistant']),
    parts: z
      .array(z.looseObject({ type: z.string(), text: z.string().optional() }).meta({ title: 'TextPart' }))
      .optional(),
    content: z.string().optional(),
  })
  .meta({ title: 'UiMessage' });
type UiMessage = z.output<typeof uiMessageSchema>;

export interface UiConversation {
  question: string;
  prior: PriorMessage[];
  instructions: string | undefined;
  /**
   * The id of the last answer before the question. After an edit the client sends a shorter list, and a branch begins
   * after this answer.
   */
  follows: string | undefined;
}

/**
 * The last question of a client that sends its whole conversation, and the earlier messages.
 * @throws Problem 400 where the last message is not a user's text, or contains a file
 */
export function conversationOf(messages: readonly UiMessage[]): UiConversation {
  const last = messages.at(-1);
  const question = last === undefined ? '' : textOf(last);
  if (last?.role !== 'user' || question.trim() === '') {
    throw badRequest('invalid_request', "messages: the last message must be the user's, with a text");
  }
  const file = last.parts?.findIndex(({ type }) => type === 'file' || type === 'image') ?? -1;
  if (file !== -1) {
    const path = `messages.${messages.length - 1}.parts.${file}`;
    const detail = `${path}: files in a message are not taken; upload it to the project and ask about it`;
    throw new Problem({ status: 400, code: 'unsupported_parameter', detail, errors: [{ path, detail }] });
  }
  const before = messages.slice(0, -1);
  const answer = before.findLast(({ role }) => role === 'assistant');
  return {
    follows: idSchema.safeParse(answer?.id).data,
    question,
    prior: before.flatMap(({ role }, index): PriorMessage[] =>
      role === 'system' ? [] : [{ role, text: textOf(before[index] as UiMessage) }],
    ),
    instructions:
      before
        .filter(({ role }) => role === 'system')
        .map(textOf)
        .join('\n\n') || undefined,
  };
}

/** The text of a message, without reasoning and sources. */
function textOf({ parts, content }: UiMessage): string {
  const text = parts === undefined ? (content ?? '') : joined(parts);
  return text.replaceAll('\0', '').toWellFormed();
}

function joined(parts: NonNullable<UiMessage['parts']>): string {
  return parts
    .filter(({ type }) => type === 'text')
    .map(({ text }) => text ?? '')
    .join('\n');
}
