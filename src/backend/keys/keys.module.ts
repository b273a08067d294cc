import { Module } from '@nestjs/common';
import { AuthModule } from '../../downstream/auth/auth.module.js';
import { EdgeModule } from '../edge/edge.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { SessionModule } from '../session/session.module.js';
import { KeysController } from './keys.controller.js';

@Module({
  imports: [EdgeModule, AuthModule, ProjectsModule, SessionModule],
  controllers: [KeysController],
})
export class KeysModule {}
