import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, ConfigModule } from '../../../config/config.module.js';
import { DATABASE, DatabaseModule } from '../../../http/database.module.js';
import { InternalServerModule } from '../../../http/http.module.js';
import { type AuthStores, openAuthStores } from './auth-stores.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { GuessLimiter } from './guess-limiter.js';
import { Admission } from './invitations/admission.js';
import { InvitationStore } from './invitations/invitation-store.js';
import { InvitationsController } from './invitations/invitations.controller.js';
import { KeyStore } from './keys/key-store.js';
import { KeysController } from './keys/keys.controller.js';
import { openIdentities } from './open-identities.js';
import { AUTH_PART } from './postgres/auth-part.js';
import { IdentityProvider } from './providers/identity-provider.js';

const STORES = Symbol('AuthStores');

@Module({
  imports: [InternalServerModule, ConfigModule, DatabaseModule.of(AUTH_PART)],
  controllers: [AuthController, InvitationsController, KeysController],
  providers: [
    Admission,
    AuthService,
    { provide: STORES, inject: [CONFIG, DATABASE], useFactory: openAuthStores },
    { provide: GuessLimiter, inject: [STORES], useFactory: ({ guesses }: AuthStores) => new GuessLimiter(guesses) },
    { provide: KeyStore, inject: [STORES], useFactory: ({ keys }: AuthStores) => keys },
    { provide: InvitationStore, inject: [STORES], useFactory: ({ invitations }: AuthStores) => invitations },
    { provide: IdentityProvider, inject: [CONFIG, STORES], useFactory: openIdentities },
  ],
})
export class AuthServerModule implements OnApplicationShutdown {
  constructor(@Inject(STORES) private readonly stores: AuthStores) {}

  onApplicationShutdown(): void {
    this.stores.close();
  }
}
