import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, ConfigModule } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { InternalServerModule } from '../../../http/http.module.js';
import { openAuthDatabase } from './auth-database.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { GuessLimiter } from './guess-limiter.js';
import { KeyStore } from './keys/key-store.js';
import { KeysController } from './keys/keys.controller.js';
import { openIdentities } from './open-identities.js';
import { IdentityProvider } from './providers/identity-provider.js';

const folder = (config: Config) => join(config.data_dir, 'auth');

@Module({
  imports: [InternalServerModule, ConfigModule],
  controllers: [AuthController, KeysController],
  providers: [
    AuthService,
    { provide: DatabaseSync, inject: [CONFIG], useFactory: (config: Config) => openAuthDatabase(folder(config)) },
    { provide: GuessLimiter, inject: [DatabaseSync], useFactory: (db: DatabaseSync) => new GuessLimiter(db) },
    { provide: KeyStore, inject: [DatabaseSync], useFactory: (db: DatabaseSync) => new KeyStore(db) },
    { provide: IdentityProvider, inject: [CONFIG, DatabaseSync], useFactory: openIdentities },
  ],
})
export class AuthServerModule implements OnApplicationShutdown {
  constructor(private readonly db: DatabaseSync) {}

  onApplicationShutdown(): void {
    this.db.close();
  }
}
