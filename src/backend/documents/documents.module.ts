import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { ConfigModule } from '../../config/config.module.js';
import { CopiesModule } from '../copies/copies.module.js';
import { ResilienceModule } from '../../resilience/resilience.module.js';
import { EdgeModule } from '../edge/edge.module.js';
import { OutboxModule } from '../../outbox/outbox.module.js';
import { FilesystemModule } from '../../downstream/filesystem/filesystem.module.js';
import { ChromaModule } from '../../downstream/chroma/chroma.module.js';
import { GitModule } from '../../downstream/git/git.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { DocumentsController } from './documents.controller.js';
import { BulkController } from './bulk.controller.js';
import { Attachments } from './attachments.service.js';
import { DocumentsService } from './documents.service.js';
import { BulkUpload } from './bulk-upload.service.js';
import { RecognitionWatch } from './recognition/recognition-watch.service.js';
import { LinkUpdates } from './moving/link-updates.service.js';
import { MovingController } from './moving/moving.controller.js';
import { Moving } from './moving/moving.service.js';
import { HistoryComparison } from './repair/history-comparison.service.js';
import { HistoryRepair } from './repair/history-repair.service.js';
import { IndexRepair } from './repair/index-repair.service.js';
import { StoredVersions } from './repair/stored-versions.service.js';
import { SeveralDocumentsController } from './several/several-documents.controller.js';
import { SeveralDocuments } from './several/several-documents.service.js';
import { DocumentSync } from './document-sync.service.js';
import { TrashController } from './trash.controller.js';

@Module({
  imports: [
    AuditModule,
    ConfigModule,
    CopiesModule,
    ResilienceModule,
    EdgeModule,
    OutboxModule,
    FilesystemModule,
    ChromaModule,
    GitModule,
    ProjectsModule,
  ],
  controllers: [DocumentsController, TrashController, MovingController, BulkController, SeveralDocumentsController],
  providers: [
    DocumentsService,
    RecognitionWatch,
    Attachments,
    BulkUpload,
    DocumentSync,
    Moving,
    SeveralDocuments,
    LinkUpdates,
    StoredVersions,
    IndexRepair,
    HistoryComparison,
    HistoryRepair,
  ],
  exports: [DocumentsService, DocumentSync, HistoryComparison, IndexRepair],
})
export class DocumentsModule {}
