import { completionError } from './chunk.schema.js';
import { Lines } from './lines.js';

/** The size limit of one event, and of an answer that is a single document. */
const MAX_CHARS = 4 * 1024 * 1024;

/** `comment` is a keep-alive. */
export type Payload = { type: 'data'; event: string | undefined; data: string } | { type: 'comment' };

/**
 * The events of a stream, or the whole body as one event where it is a JSON document, whatever its content type says.
 * A line that holds a whole JSON value, or `[DONE]`, is an event by itself, with or without `data:`: some endpoints omit
 * the empty line between two events, and some send JSON lines. Otherwise an event ends with an empty line, as in the HTML
 * standard.
 * @throws Error for an `error:` line, which llama.cpp writes in place of an event, and for a body beyond the size limit
 */
export async function* payloads(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Payload> {
  const decoder = new TextDecoder();
  const lines = new Lines();
  const reader = new LineReader();
  for await (const chunk of chunks) {
    for (const line of lines.push(decoder.decode(chunk, { stream: true }))) yield* reader.read(line);
    if (lines.openChars > MAX_CHARS) throw tooLong();
  }
  yield* reader.read(lines.take() + decoder.decode());
  yield* reader.end();
}

class LineReader {
  private event: string | undefined;
  private data: string[] = [];
  private chars = 0;
  /** Whether the body is a JSON document of several lines. */
  private isDocument = false;
  private hasData = false;

  *read(line: string): Generator<Payload> {
    if (this.isDocument) this.add(line);
    else if (/^\s*[{[]/.test(line)) yield* this.readJson(line);
    else if (line.trim() === '') yield* this.dispatch();
    else if (line.startsWith(':')) yield { type: 'comment' };
    else yield* this.readField(line);
  }

  *end(): Generator<Payload> {
    // The last event may lack the empty line that ends it.
    yield* this.dispatch();
  }

  private *readJson(line: string): Generator<Payload> {
    const isEvent = isWhole(line);
    if (isEvent) yield* this.readData(line);
    else if (!this.hasData) {
      this.isDocument = true;
      this.add(line);
    }
  }

  private *readField(line: string): Generator<Payload> {
    const colon = line.indexOf(':');
    const name = (colon === -1 ? line : line.slice(0, colon)).trim().toLowerCase();
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'error') throw errorLine(value);
    if (name === 'event') {
      // Without an empty line between them, the name of the next event ends this one.
      yield* this.dispatch();
      this.event = value.trim();
    } else if (name === 'data') yield* this.readData(value);
  }

  private *readData(value: string): Generator<Payload> {
    const isAlone = this.data.length === 0 && isWhole(value);
    this.add(value);
    if (isAlone) yield* this.dispatch();
  }

  private add(line: string): void {
    this.hasData = true;
    this.data.push(line);
    this.chars += line.length + 1;
    if (this.chars > MAX_CHARS) throw tooLong();
  }

  private *dispatch(): Generator<Payload> {
    const { data, event } = this;
    this.data = [];
    this.chars = 0;
    this.event = undefined;
    if (data.length > 0) yield { type: 'data', event, data: data.join('\n') };
  }
}

/** Whether a line is a whole JSON object or list, or the mark of the end. */
function isWhole(line: string): boolean {
  const text = line.trim();
  if (text === '[DONE]') return true;
  if (!/^(\{.*\}|\[.*\])$/s.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function errorLine(value: string): Error {
  try {
    return completionError(JSON.parse(value));
  } catch {
    return completionError(value);
  }
}

const tooLong = () => new Error(`the answer holds an event of more than ${MAX_CHARS} characters`);
