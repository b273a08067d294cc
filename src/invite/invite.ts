import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { withConfig } from '../config/config.module.js';
import type { Config } from '../config/config.schema.js';
import { StartError } from '../config/start-error.js';
import { AuthClient } from '../downstream/auth/auth.client.js';
import { AuthModule } from '../downstream/auth/auth.module.js';
import { LoggingModule } from '../http/logging.module.js';
import { toProblem } from '../http/problem.filter.js';

@Module({ imports: [LoggingModule, AuthModule] })
class InviteModule {}

/**
 * Invites the person with an address to make an account, by the auth server that is running. The first operator comes in
 * this way where `auth.registration` is `invited`.
 * @throws StartError where the invitation is refused, or the server does not answer
 */
export async function invite(config: Config, email: string, print = console.log): Promise<void> {
  const app = await withConfig(config, () => NestFactory.createApplicationContext(InviteModule, { logger: false }));
  try {
    const expiresAt = new Date(Date.now() + config.auth.invitation_ttl_ms).toISOString();
    const body = { email, expires_at: expiresAt, created_by: `${userInfo().username} (command line)` };
    const { token } = await app.get(AuthClient).createInvitation({ body }, { requestId: randomUUID() });
    print(`Invitation for ${email} until ${expiresAt}, shown only here: ${token}`);
    print(`The page takes it at /sign-in?invitation=${token}`);
  } catch (error) {
    throw new StartError(toProblem(error).detail);
  } finally {
    await app.close();
  }
}
