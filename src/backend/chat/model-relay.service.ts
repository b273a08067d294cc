import { Injectable } from '@nestjs/common';
import { type ChatMessage, LlmClient, type LanguageModel, type LlmEvent } from '../../downstream/llm/llm.client.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import type { Fallback } from '../call/degradation.js';
import type { UserCall } from '../call/public-call.js';
import { Continuation, wholeWords } from './continuation.js';
import { estimateTokens } from './prompt.js';

/** `model`: who writes from here on. */
export type RelayEvent = LlmEvent | { type: 'model'; name: string };

const GO_ON =
  'Your answer was cut off in the middle. Go on exactly where it ends, as if nothing had happened: repeat nothing, excuse nothing, begin with the next word.';

/** The models in their order: where one fails, the next takes over, and goes on with what there is of the answer. */
@Injectable()
export class ModelRelay {
  constructor(private readonly llm: LlmClient) {}

  /** The names of the models, in their order. */
  get models(): readonly string[] {
    return this.llm.models.map(({ name }) => name);
  }

  /**
   * Ends when the answer is complete, which it never is without a word. Every failed model is added to the call's
   * degradation.
   * @throws DownstreamError when the last model has failed, or the asker does not want the answer any more
   */
  async *answer(prompt: readonly ChatMessage[], maxTokens: number, call: UserCall): AsyncGenerator<RelayEvent> {
    const { models } = this.llm;
    let said = '';
    for (const [index, model] of models.entries()) {
      const isLast = index === models.length - 1;
      try {
        let begun = false;
        for await (const event of this.write(model, prompt, said, maxTokens, call, isLast)) {
          if (event.type === 'text') {
            if (!begun) yield { type: 'model', name: model.name };
            begun = true;
            said += event.text;
          }
          // Nobody pays for an answer without a word.
          if (said !== '') yield event;
        }
        if (said === '') throw wordless(model);
        return;
      } catch (error) {
        if (!(error instanceof DownstreamError) || error.reason === 'cancelled') throw error;
        const fallback: Fallback = isLast ? (said === '' ? 'extractive' : 'none') : 'next_model';
        call.degradation.add(model.service, error, fallback);
        if (isLast) throw error;
      }
    }
  }

  /** What one model adds to what was said before. One that has another behind it is tried once: nobody waits twice. */
  private async *write(
    model: LanguageModel,
    prompt: readonly ChatMessage[],
    said: string,
    maxTokens: number,
    call: UserCall,
    isLast: boolean,
  ): AsyncGenerator<LlmEvent> {
    if (said === '') {
      yield* await model.stream(prompt, maxTokens, call, isLast);
      return;
    }
    const before = estimateTokens(said);
    const left = Math.max(1, maxTokens - before);
    const messages = [...prompt, ...continuing(said)];
    const continuation = new Continuation(said);
    const events = await model.stream(messages, left, call, isLast);
    for await (const event of events) {
      if (event.type === 'usage') yield { ...event, completionTokens: before + event.completionTokens };
      else {
        const text = continuation.push(event.text);
        if (text !== '') yield { type: 'text', text };
      }
    }
    const rest = continuation.end();
    if (rest !== '') yield { type: 'text', text: rest };
  }
}

/** Found when the call is over, and so not the breaker's: the question may be to blame, and others have theirs. */
function wordless({ service }: LanguageModel): DownstreamError {
  return new DownstreamError({ service, reason: 'protocol', message: 'the model ended its answer without a word' });
}

function continuing(said: string): ChatMessage[] {
  const content = wholeWords(said).trimEnd();
  return content === ''
    ? []
    : [
        { role: 'assistant', content },
        { role: 'user', content: GO_ON },
      ];
}
