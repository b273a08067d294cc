import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Passage } from '../../contract/passage.contract.js';
import { type Cache, normalised, scopeOf } from '../cache/cache.js';
import { CACHE } from '../cache/cache.module.js';

/** A model's answer with its citations checked. */
export interface KeptAnswer {
  text: string;
  model: string;
}

interface Asked {
  question: string;
  passages: readonly Passage[];
  models: readonly string[];
  /** All other inputs of the answer: instructions, temperature and similar. */
  asked: unknown;
}

/** The cache slot for one question over one set of passages. */
export interface AnswerSlot {
  readonly kept: KeptAnswer | undefined;
  keep(answer: KeptAnswer): void;
}

/**
 * Caches answers of models, so that the same question is not answered, and paid for, twice. The passages are part of
 * the key and are looked up each time: after a change of the index the key differs, even where the change was not
 * announced.
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
