import { Module } from '@nestjs/common';
import { ResilienceModule } from '../../resilience/resilience.module.js';
import { AuthClient } from './auth.client.js';

@Module({
  imports: [ResilienceModule.forService('auth', 'Auth Server')],
  providers: [AuthClient],
  exports: [AuthClient],
})
export class AuthModule {}
