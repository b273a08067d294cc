import { z } from 'zod';
import { Problem } from '../../../../http/problem.js';
import type { User } from '../../auth.contract.js';
import { IdentityProvider, type Verification } from './identity-provider.js';
import type { IssuedIdentities } from './issued-identities.js';
import type { Outside } from './outside.js';

export const OIDC_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA'],
];

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });

/**
 * The address of the issuer's keys, as OpenID Connect Discovery 1.0 (sections 4.1 and 4.3) publishes it.
 * @throws Error where the document names another issuer
 */
export async function discoverKeys(issuer: string, outside: Outside): Promise<string> {
  const { status, body } = await outside.call(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  if (status !== 200) throw new Error(`${outside.name} answered ${status} to its discovery`);
  const found = discoverySchema.parse(body);
  if (found.issuer !== issuer) {
    throw new Error(`auth.oidc.issuer: "${issuer}" calls itself "${found.issuer}"; set this one`);
  }
  return found.jwks_uri;
}

/** Accepts tokens of any OpenID Connect issuer. Users sign in at the issuer; this server never receives a password. */
export class OidcIdentityProvider extends IdentityProvider {
  constructor(
    private readonly issuer: string,
    private readonly identities: IssuedIdentities,
  ) {
    super();
  }

  async register(): Promise<never> {
    throw this.elsewhere('Accounts are made');
  }

  async login(): Promise<never> {
    throw this.elsewhere('People sign in');
  }

  verify(token: string): Promise<Verification> {
    return this.identities.verify(token);
  }

  async user(userId: string): Promise<User | undefined> {
    return this.identities.user(userId);
  }

  async usersByEmail(email: string): Promise<User[]> {
    return this.identities.usersByEmail(email);
  }

  close(userId: string, endedAtMs: number): Promise<void> {
    return this.identities.close(userId, endedAtMs);
  }

  revoke(token: string): Promise<boolean> {
    return this.identities.revoke(token);
  }

  private elsewhere(what: string): Problem {
    const detail = `${what} at ${this.issuer}; send the token from there as "Authorization: Bearer <token>".`;
    return new Problem({ status: 403, code: 'sign_in_elsewhere', detail });
  }
}
