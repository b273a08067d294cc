import { Injectable } from '@nestjs/common';
import { Counter, register } from 'prom-client';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';

const NAME = 'caudex_answers_total';

export type AnswerResult = 'complete' | 'degraded' | 'failed';

/**
 * Counts public answers by quality: the series from which the service level objective is computed. Requests that were
 * refused with a 5xx before an answer began are in `http_server_request_duration_seconds`.
 */
@Injectable()
export class AnswerCounts {
  private readonly counter: Counter | undefined;

  constructor(@InjectConfig() config: Config) {
    if (!config.metrics.enabled) return;
    register.removeSingleMetric(NAME);
    this.counter = new Counter({
      name: NAME,
      help: 'Answers to chats and searches; `degraded`: something was worked around, `failed`: there is no answer',
      labelNames: ['kind', 'result'],
    });
    // Starts each series at 0, because a series that begins with its first failure has no rate for it.
    for (const kind of ['chat', 'search']) {
      for (const result of ['complete', 'degraded', 'failed']) this.counter.inc({ kind, result }, 0);
    }
  }

  add(kind: 'chat' | 'search', result: AnswerResult): void {
    this.counter?.inc({ kind, result });
  }
}
