import { Module } from '@nestjs/common';
import { ConfigModule } from '../../config/config.module.js';
import { ResilienceModule } from '../../resilience/resilience.module.js';
import { LlmClient } from './llm.client.js';

@Module({
  imports: [ConfigModule, ResilienceModule.forModels()],
  providers: [LlmClient],
  exports: [LlmClient],
})
export class LlmModule {}
