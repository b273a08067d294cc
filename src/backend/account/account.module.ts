import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { ConfigModule } from '../../config/config.module.js';
import { AuthModule } from '../../downstream/auth/auth.module.js';
import { BillingModule } from '../../downstream/billing/billing.module.js';
import { FilesystemModule } from '../../downstream/filesystem/filesystem.module.js';
import { CopiesModule } from '../copies/copies.module.js';
import { GitModule } from '../../downstream/git/git.module.js';
import { OutboxModule } from '../../outbox/outbox.module.js';
import { ConversationsModule } from '../conversations/conversations.module.js';
import { DocumentsModule } from '../documents/documents.module.js';
import { EdgeModule } from '../edge/edge.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { RedisModule } from '../redis/redis.module.js';
import { SessionModule } from '../session/session.module.js';
import { AccountController } from './account.controller.js';
import { AccountCopies } from './account-copies.js';
import { AccountDeletion } from './deletion/account-deletion.service.js';
import { AccountExport } from './export/account-export.service.js';
import { AccountImport } from './import/account-import.service.js';
import { ImportedConversations } from './import/imported-conversations.service.js';
import { ImportedProjects } from './import/imported-projects.service.js';
import { ImportedTrash } from './import/imported-trash.service.js';

@Module({
  imports: [
    AuditModule,
    ConfigModule,
    EdgeModule,
    RedisModule,
    OutboxModule,
    AuthModule,
    BillingModule,
    FilesystemModule,
    CopiesModule,
    GitModule,
    SessionModule,
    ProjectsModule,
    DocumentsModule,
    ConversationsModule,
  ],
  controllers: [AccountController],
  providers: [
    AccountCopies,
    AccountDeletion,
    AccountExport,
    AccountImport,
    ImportedConversations,
    ImportedProjects,
    ImportedTrash,
  ],
})
export class AccountModule {}
