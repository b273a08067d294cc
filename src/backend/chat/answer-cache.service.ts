import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Passage } from '../../contract/passage.contract.js';
import { type Cache, normalised, scopeOf } from '../cache/cache.js';
import { CACHE } from '../cache/cache.module.js';

/** What a model has written, citations in it checked. */
export interface KeptAnswer {
  text: string;
  model: string;
}

interface Asked {
  question: string;
  passages: readonly Passage[];
  models: readonly string[];
  /** What else the answer depends on: instructions, temperature and the like. */
  asked: unknown;
}

/** The answer to one question over one set of passages. */
export interface AnswerSlot {
  readonly kept: KeptAnswer | undefined;
  keep(answer: KeptAnswer): void;
}

/**
 * Answers that models have written, so that the same question costs nothing the second time. The passages are part of
 * the key, and they are looked up each time: an index that has changed makes another key, even where nobody told so.
 */
@Injectable()
export class AnswerCache {
  constructor(@Inject(CACHE) private readonly cache: Cache) {}

  async open(userId: string, projectId: string, { question, passages, models, asked }: Asked): Promise<AnswerSlot> {
    const seen = passages.map(({ document, chunk, title, text }) => [document, chunk, title, text]);
    const state = createHash('sha256')
      .update(JSON.stringify([models, seen, asked]))
      .digest('base64url');
    const slot = await this.cache.open(
      scopeOf(userId, projectId),
      JSON.stringify(['answer', normalised(question), state]),
    );
    return {
      kept: slot.value as KeptAnswer | undefined,
      keep: ({ text, model }) => slot.keep({ text, model }, 500 + 2 * text.length),
    };
  }
}
