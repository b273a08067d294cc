import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { requestOf } from '../../config/llm-models.js';
import { MODEL_CLIENTS } from '../../resilience/resilience.module.js';
import type { ResilientClient } from '../../resilience/wire/resilient-client.js';
import { LanguageModel } from './language-model.js';

/** The configured models, in the order in which they are called; none without an address. */
@Injectable()
export class LlmClient implements OnApplicationShutdown {
  readonly models: readonly LanguageModel[];

  constructor(
    @InjectConfig() config: Config,
    @Inject(MODEL_CLIENTS) private readonly clients: readonly ResilientClient[],
  ) {
    const names = [config.llm.model, ...config.llm.fallbacks.map(({ model }) => model)];
    this.models = clients.flatMap((client, index) => {
      const model = names[index];
      if (!client.configured || typeof model !== 'string') return [];
      return [new LanguageModel(model, client, requestOf(config, client.service))];
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.onApplicationShutdown()));
  }
}
