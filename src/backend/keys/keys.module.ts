import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../../downstream/auth/auth.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { SessionModule } from '../session/session.module.js';
import { KeysController } from './keys.controller.js';

@Module({
  imports: [AuditModule, AuthModule, ProjectsModule, SessionModule],
  controllers: [KeysController],
})
export class KeysModule {}
