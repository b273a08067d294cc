import { Module } from '@nestjs/common';
import { ResilienceModule } from '../../resilience/resilience.module.js';
import { ChromaClient } from './chroma.client.js';

@Module({
  imports: [ResilienceModule.forService('chroma', 'Chroma Server')],
  providers: [ChromaClient],
  exports: [ChromaClient],
})
export class ChromaModule {}
