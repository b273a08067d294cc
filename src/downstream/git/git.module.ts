import { Module } from '@nestjs/common';
import { ResilienceModule } from '../../resilience/resilience.module.js';
import { copiesOf } from '../../resilience/wire/contract-client.js';
import { ResilientClient } from '../../resilience/wire/resilient-client.js';
import { GitClient } from './git.client.js';
import { GIT_COPIES } from './git.copies.js';

@Module({
  imports: [ResilienceModule.forService('git', 'Git Server')],
  providers: [
    GitClient,
    {
      provide: GIT_COPIES,
      inject: [ResilientClient],
      useFactory: (whole: ResilientClient) => copiesOf(GitClient, whole),
    },
  ],
  exports: [GitClient, GIT_COPIES],
})
export class GitModule {}
