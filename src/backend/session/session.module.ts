import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuditModule } from '../audit/audit.module.js';
import { ConfigModule } from '../../config/config.module.js';
import { EdgeModule } from '../edge/edge.module.js';
import { AuthModule } from '../../downstream/auth/auth.module.js';
import { DemoModule } from '../demo/demo.module.js';
import { InvitationsController } from './invitations.controller.js';
import { SessionController } from './session.controller.js';
import { SessionService } from './session.service.js';
import { SessionGuard } from './session.guard.js';

/** Accounts and sessions, and the guard of all public routes. */
@Module({
  imports: [AuditModule, ConfigModule, EdgeModule, AuthModule, DemoModule],
  controllers: [SessionController, InvitationsController],
  providers: [{ provide: APP_GUARD, useClass: SessionGuard }, SessionService],
  exports: [SessionService],
})
export class SessionModule {}
