import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, ConfigModule } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { InternalServerModule } from '../../../http/http.module.js';
import { AccountStore } from './account-store.js';
import { openAuthDatabase } from './auth-database.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { GuessLimiter } from './guess-limiter.js';
import { IdentityProvider } from './identity-provider.js';
import { KeyStore } from './keys/key-store.js';
import { KeysController } from './keys/keys.controller.js';
import { LocalIdentityProvider } from './local-identity-provider.js';
import { PasswordHasher } from './password-hasher.js';
import { SessionTokens } from './session-tokens.js';
import { SigningKeys } from './signing-keys.js';

const DEMO_ACCOUNT = { email: 'demo@caudex.local', password: 'caudex-demo' };

const folder = (config: Config) => join(config.data_dir, 'auth');

async function openLocalAccounts(config: Config, db: DatabaseSync): Promise<IdentityProvider> {
  const { token_ttl_ms, key_rotation_ms, scrypt_n, operators, demo_account } = config.auth;
  const keys = await SigningKeys.open(join(folder(config), 'keys'), {
    rotationMs: key_rotation_ms,
    tokenTtlMs: token_ttl_ms,
  });
  const identities = new LocalIdentityProvider(
    new AccountStore(db, demo_account),
    new PasswordHasher(scrypt_n),
    new SessionTokens(keys, token_ttl_ms),
    operators,
  );
  if (demo_account) await identities.ensureDemoAccount(DEMO_ACCOUNT.email, DEMO_ACCOUNT.password);
  return identities;
}

@Module({
  imports: [InternalServerModule, ConfigModule],
  controllers: [AuthController, KeysController],
  providers: [
    AuthService,
    { provide: DatabaseSync, inject: [CONFIG], useFactory: (config: Config) => openAuthDatabase(folder(config)) },
    { provide: GuessLimiter, inject: [DatabaseSync], useFactory: (db: DatabaseSync) => new GuessLimiter(db) },
    { provide: KeyStore, inject: [DatabaseSync], useFactory: (db: DatabaseSync) => new KeyStore(db) },
    { provide: IdentityProvider, inject: [CONFIG, DatabaseSync], useFactory: openLocalAccounts },
  ],
})
export class AuthServerModule implements OnApplicationShutdown {
  constructor(private readonly db: DatabaseSync) {}

  onApplicationShutdown(): void {
    this.db.close();
  }
}
