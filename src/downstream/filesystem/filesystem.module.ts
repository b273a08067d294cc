import { Module } from '@nestjs/common';
import { ResilienceModule } from '../../resilience/resilience.module.js';
import { FilesystemClient } from './filesystem.client.js';

@Module({
  imports: [ResilienceModule.forService('filesystem', 'Filesystem Server')],
  providers: [FilesystemClient],
  exports: [FilesystemClient],
})
export class FilesystemModule {}
