import { Module } from '@nestjs/common';
import { ResilienceModule } from '../../resilience/resilience.module.js';
import { copiesOf } from '../../resilience/wire/contract-client.js';
import { ResilientClient } from '../../resilience/wire/resilient-client.js';
import { ChromaClient } from './chroma.client.js';
import { CHROMA_COPIES } from './chroma.copies.js';

@Module({
  imports: [ResilienceModule.forService('chroma', 'Chroma Server')],
  providers: [
    ChromaClient,
    {
      provide: CHROMA_COPIES,
      inject: [ResilientClient],
      useFactory: (whole: ResilientClient) => copiesOf(ChromaClient, whole),
    },
  ],
  exports: [ChromaClient, CHROMA_COPIES],
})
export class ChromaModule {}
