import type { Config } from '../../../config/config.schema.js';
import { DEMO_ACCOUNT } from '../../../config/demo-account.js';
import { StartError } from '../../../config/start-error.js';
import type { AuthStores } from './auth-stores.js';
import { LocalIdentityProvider } from './local/local-identity-provider.js';
import { PasswordHasher } from './local/password-hasher.js';
import { AccountChecks } from './providers/account-checks.js';
import { EmulatorTokens } from './providers/emulator-tokens.js';
import { FirebaseIdentityProvider, type Rechecking } from './providers/firebase-identity-provider.js';
import type { IdentityProvider } from './providers/identity-provider.js';
import { IdentityToolkit } from './providers/identity-toolkit.js';
import { IssuedIdentities } from './providers/issued-identities.js';
import { IssuedTokens, type TokenReader } from './providers/issued-tokens.js';
import { discoverKeys, OIDC_ALGORITHMS, OidcIdentityProvider } from './providers/oidc-identity-provider.js';
import { Outside } from './providers/outside.js';
import { PublishedKeys } from './providers/published-keys.js';
import { SealedText } from './providers/sealed-text.js';
import { SessionTokens } from './tokens/session-tokens.js';
import { SigningKeys } from './tokens/signing-keys.js';

/** Opens the identity provider that `auth.provider` names. */
export function openIdentities(config: Config, stores: AuthStores): Promise<IdentityProvider> {
  const open = { local: openLocal, firebase: openFirebase, oidc: openOidc }[config.auth.provider];
  return open(config, stores);
}

async function openLocal(config: Config, stores: AuthStores): Promise<IdentityProvider> {
  const { scrypt_n, operators, demo_account } = config.auth;
  const sessions = await openSessions(config, stores);
  const identities = new LocalIdentityProvider(stores.accounts, new PasswordHasher(scrypt_n), sessions, operators);
  if (demo_account) await identities.ensureDemoAccount(DEMO_ACCOUNT.email, DEMO_ACCOUNT.password);
  return identities;
}

/** Follows "Verify ID tokens using a third-party JWT library" in Firebase's documentation. */
async function openFirebase(config: Config, stores: AuthStores): Promise<IdentityProvider> {
  const { firebase, require_verified_email: requireVerifiedEmail } = config.auth;
  const projectId = firebase.project_id ?? '';
  const keyServer = outside('Firebase (auth.firebase.keys_url)', config);
  const keys = new PublishedKeys(keyServer, { locate: () => Promise.resolve(firebase.keys_url) });
  const rules = { issuer: `https://securetoken.google.com/${projectId}`, audience: projectId, algorithms: ['RS256'] };
  const toolkit = openToolkit(config);
  const signed = new IssuedTokens(keys, rules);
  const tokens = firebase.emulator_host === null ? signed : new EmulatorTokens(toolkit, signed, rules);
  const sessions = await openSessions(config, stores);
  const rechecking = openRechecking(config);
  return new FirebaseIdentityProvider(issuedIdentities(config, stores, tokens), toolkit, sessions, {
    requireVerifiedEmail,
    rechecking,
  });
}

function openRechecking({ auth, secrets }: Config): Rechecking | undefined {
  const { recheck_ms } = auth.firebase;
  if (recheck_ms === null) return undefined;
  const { internal_service_token: current, internal_service_token_previous: previous } = secrets;
  const sealed = new SealedText(previous === undefined ? [current] : [current, previous], 'firebase refresh token');
  return { checks: new AccountChecks(recheck_ms), sealed };
}

function openToolkit(config: Config): IdentityToolkit {
  const { emulator_host: emulator, sign_in_url, token_url } = config.auth.firebase;
  const addresses =
    emulator === null
      ? { signIn: sign_in_url, token: token_url }
      : {
          signIn: `http://${emulator}/identitytoolkit.googleapis.com/v1`,
          token: `http://${emulator}/securetoken.googleapis.com/v1/token`,
        };
  // The emulator accepts any key.
  const apiKey = config.secrets.firebase_api_key ?? (emulator === null ? undefined : 'emulator');
  if (apiKey === undefined) {
    throw new StartError('FIREBASE_API_KEY: missing; auth.provider is firebase, sign-in needs its web API key');
  }
  return new IdentityToolkit(outside('Firebase (auth.firebase.sign_in_url)', config), addresses, apiKey);
}

async function openOidc(config: Config, stores: AuthStores): Promise<IdentityProvider> {
  const issuer = config.auth.oidc.issuer ?? '';
  const audience = config.auth.oidc.audience ?? '';
  const provider = outside(`${issuer} (auth.oidc.issuer)`, config);
  const keys = new PublishedKeys(provider, { locate: () => discoverKeys(issuer, provider) });
  const rules = { issuer, audience, algorithms: OIDC_ALGORITHMS };
  return new OidcIdentityProvider(issuer, issuedIdentities(config, stores, new IssuedTokens(keys, rules)));
}

function issuedIdentities({ auth }: Config, stores: AuthStores, tokens: TokenReader) {
  return new IssuedIdentities(tokens, stores.revoked, stores.seenUsers, {
    requireVerifiedEmail: auth.require_verified_email,
    operatorClaim: auth.operator_claim,
    operatorValue: auth.operator_value,
  });
}

async function openSessions({ auth }: Config, stores: AuthStores): Promise<SessionTokens> {
  const { token_ttl_ms: tokenTtlMs, key_rotation_ms: rotationMs } = auth;
  const keys = await SigningKeys.open(stores.signingKeys, { rotationMs, tokenTtlMs });
  return new SessionTokens(keys, tokenTtlMs, stores.revoked);
}

function outside(name: string, { auth }: Config): Outside {
  const { timeout_ms, failure_threshold, recovery_timeout_ms } = auth.outside;
  return new Outside(name, {
    timeoutMs: timeout_ms,
    failures: failure_threshold,
    recoveryMs: recovery_timeout_ms,
  });
}
