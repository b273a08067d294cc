import { Module } from '@nestjs/common';
import { ResilienceModule } from '../../resilience/resilience.module.js';
import { LlmClient } from './llm.client.js';

@Module({
  imports: [ResilienceModule.forService('llm', 'LLM Server')],
  providers: [LlmClient],
  exports: [LlmClient],
})
export class LlmModule {}
