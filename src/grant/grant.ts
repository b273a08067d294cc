import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Grants } from '../backend/billing/grants.service.js';
import { withConfig } from '../config/config.module.js';
import type { Config } from '../config/config.schema.js';
import { StartError } from '../config/start-error.js';
import { AuthModule } from '../downstream/auth/auth.module.js';
import { BillingModule } from '../downstream/billing/billing.module.js';
import { LoggingModule } from '../http/logging.module.js';
import { toProblem } from '../http/problem.filter.js';

@Module({ imports: [LoggingModule, AuthModule, BillingModule], providers: [Grants] })
class GrantModule {}

/**
 * Gives credits to the account with an address, by the auth and billing servers that are running. The log, on standard output,
 * names the user of the operating system as the one who gave them.
 * @throws StartError where the number is none, there is no such account, or a server does not answer
 */
export async function grant(config: Config, email: string, number: string, print = console.log): Promise<void> {
  const credits = Number(number);
  if (!Number.isInteger(credits) || credits < 1 || credits > 1_000_000_000) {
    throw new StartError(`CREDITS: "${number}" is refused: a whole number from 1 to 1000000000 is needed`);
  }
  const app = await withConfig(config, () => NestFactory.createApplicationContext(GrantModule, { logger: false }));
  try {
    const by = `${userInfo().username} (command line)`;
    const {
      email: to,
      granted,
      balance,
    } = await app.get(Grants).grant({ email, credits }, by, { requestId: randomUUID() });
    print(`${to} was given ${granted} credits and has ${balance} now.`);
  } catch (error) {
    throw new StartError(toProblem(error).detail);
  } finally {
    await app.close();
  }
}
