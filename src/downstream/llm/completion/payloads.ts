import { createParser } from 'eventsource-parser';
import { completionError } from './chunk.schema.js';

/** The size limit of one event, and of an answer that is a single document. */
const MAX_CHARS = 4 * 1024 * 1024;

/** `comment` is a keep-alive. */
export type Payload = { type: 'data'; event: string | undefined; data: string } | { type: 'comment' };

/**
 * The events of a stream, or the whole body as one event where it is JSON. The beginning of the body decides
 * which of the two it is, because content types are not always correct.
 * @throws Error for an `error:` line, which llama.cpp writes in place of an event, and for a body beyond the size limit
 */
export async function* payloads(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Payload> {
  const decoder = new TextDecoder();
  const pending: Payload[] = [];
  let failure: Error | undefined;
  const parser = createParser({
    onEvent: ({ data, event }) => pending.push({ type: 'data', event, data }),
    onComment: () => pending.push({ type: 'comment' }),
    onError: (error) => {
      if (error.type === 'unknown-field' && error.field === 'error') failure ??= errorLine(error.value ?? '');
      if (error.type === 'max-buffer-size-exceeded') failure ??= tooLong();
    },
    maxBufferSize: MAX_CHARS,
  });
  let beginning = true;
  let document = '';
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    if (document !== '' || (beginning && /^\s*[{[]/.test(text))) {
      document += text;
      if (document.length > MAX_CHARS) throw tooLong();
      continue;
    }
    if (text.trim() !== '') beginning = false;
    parser.feed(text);
    yield* pending.splice(0);
    if (failure !== undefined) throw failure;
  }
  // The last event may lack the empty line that ends it.
  parser.feed('\n\n');
  if (document !== '') yield { type: 'data', event: undefined, data: document };
  else yield* pending;
}

function errorLine(value: string): Error {
  try {
    return completionError(JSON.parse(value));
  } catch {
    return completionError(value);
  }
}

const tooLong = () => new Error(`the answer holds an event of more than ${MAX_CHARS} characters`);
