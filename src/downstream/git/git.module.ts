import { Module } from '@nestjs/common';
import { ResilienceModule } from '../../resilience/resilience.module.js';
import { GitClient } from './git.client.js';

@Module({
  imports: [ResilienceModule.forService('git', 'Git Server')],
  providers: [GitClient],
  exports: [GitClient],
})
export class GitModule {}
