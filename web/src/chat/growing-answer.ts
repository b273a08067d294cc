import type { ChatChunk, ChatMessage } from './message.ts';

type Part = ChatMessage['parts'][number];

/**
 * Builds the message of an answer from its chunks, as the AI SDK does (`growing-answer.spec.ts` compares the two). The SDK's
 * own reader is not used, because it is 40 kB, most of it for the validation of tool calls, which the backend does not send.
 */
export class GrowingAnswer {
  /** A new object after each chunk that changes it; undefined before the first. */
  message: ChatMessage | undefined;
  /** The index in the parts of each text that is still being written, by its id in the stream. */
  private readonly open = new Map<string, number>();

  add(chunk: ChatChunk): void {
    switch (chunk.type) {
      case 'start':
      case 'finish':
      case 'message-metadata':
        return this.describe(chunk.messageMetadata, chunk.type === 'start' ? chunk.messageId : undefined);
      case 'text-start':
      case 'reasoning-start': {
        this.open.set(chunk.id, this.message?.parts.length ?? 0);
        const begun = { text: '', state: 'streaming' } as const;
        return this.push(
          chunk.type === 'text-start' ? { type: 'text', ...begun } : { type: 'reasoning', id: chunk.id, ...begun },
        );
      }
      case 'text-delta':
      case 'reasoning-delta':
        return this.change(chunk.id, (part) => ({ ...part, text: part.text + chunk.delta }));
      case 'text-end':
      case 'reasoning-end':
        this.change(chunk.id, (part) => ({ ...part, state: 'done' }));
        this.open.delete(chunk.id);
        return;
      case 'source-document':
        return this.push(chunk);
      case 'data-retraction':
        return this.retract();
      default:
        // A newer backend may send other kinds of data parts, and steps; they are not shown.
        if (chunk.type.startsWith('data-')) this.push(chunk as Part);
    }
  }

  private describe(metadata: ChatMessage['metadata'], id: string | undefined): void {
    const before = this.begun();
    this.message = { ...before, id: id ?? before.id, metadata: { ...before.metadata, ...metadata } };
  }

  /** Shows the texts so far as the thinking that they were. */
  private retract(): void {
    const before = this.begun();
    const parts = before.parts.map((part): Part => (part.type === 'text' ? { ...part, type: 'reasoning' } : part));
    this.message = { ...before, parts };
  }

  private push(part: Part): void {
    const before = this.begun();
    this.message = { ...before, parts: [...before.parts, part] };
  }

  private change(id: string, change: (part: TextPart) => TextPart): void {
    const at = this.open.get(id);
    const part = at === undefined ? undefined : this.message?.parts[at];
    if (this.message === undefined || at === undefined || part === undefined) return;
    this.message = { ...this.message, parts: this.message.parts.with(at, change(part as TextPart)) };
  }

  private begun(): ChatMessage {
    return this.message ?? { id: '', role: 'assistant', parts: [] };
  }
}

type TextPart = Extract<Part, { type: 'text' | 'reasoning' }>;
