import { badRequest } from '../../../http/problem.js';
import { conversationOf, type Conversation } from '../openai.schema.js';
import { unsupported } from '../model-name.js';
import type { InputItem, ResponsesRequest } from './responses.schema.js';

const TEXT_PARTS: ReadonlySet<string> = new Set(['input_text', 'output_text', 'text', 'refusal']);
/** Items of earlier answers that add nothing to a prompt. */
const SILENT: ReadonlySet<string> = new Set(['reasoning']);

/** The text of the answer that an item refers to; undefined for an unknown id. */
export type Resolve = (id: string) => Promise<string | undefined>;

/**
 * The question of a request, and the earlier messages.
 * @throws Problem 400 where there is no question, or an item has an unsupported type
 */
export async function conversationIn({ input }: ResponsesRequest, resolve: Resolve): Promise<Conversation> {
  const items: InputItem[] = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
  const messages: Parameters<typeof conversationOf>[0][number][] = [];
  for (const [index, item] of items.entries()) {
    const path = `input.${index}`;
    const type = item.type ?? 'message';
    if (SILENT.has(type)) continue;
    if (type === 'item_reference') {
      const content = await resolve(item.id ?? '');
      if (content !== undefined) messages.push({ role: 'assistant', content });
      else throw badRequest('invalid_request', `${path}.id: there is no item ${JSON.stringify(item.id)}`);
    } else if (type !== 'message' || item.role === undefined) {
      const known = '"message", "item_reference" and "reasoning" are';
      throw unsupported(`${path}.type`, `${path}.type: an item of type ${JSON.stringify(type)} is not taken; ${known}`);
    } else messages.push({ role: item.role, content: contentOf(item, path) });
  }
  return conversationOf(messages, 'input');
}

function contentOf({ content }: InputItem, path: string): string {
  if (content === null || content === undefined) return '';
  if (typeof content === 'string') return content;
  const foreign = content.find(({ type }) => !TEXT_PARTS.has(type));
  if (foreign !== undefined) {
    const detail = `${path}.content: a part of type ${JSON.stringify(foreign.type)} is not taken; only "input_text" is`;
    throw unsupported(`${path}.content`, detail);
  }
  return content.map(({ text }) => text ?? '').join('\n');
}
