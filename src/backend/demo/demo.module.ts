import { Module } from '@nestjs/common';
import { ConfigModule } from '../../config/config.module.js';
import { FilesystemModule } from '../../downstream/filesystem/filesystem.module.js';
import { DocumentsModule } from '../documents/documents.module.js';
import { DemoProject } from './demo-project.service.js';

@Module({
  imports: [ConfigModule, FilesystemModule, DocumentsModule],
  providers: [DemoProject],
  exports: [DemoProject],
})
export class DemoModule {}
