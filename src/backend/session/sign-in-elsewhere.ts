import type { Config } from '../../config/config.schema.js';

/** The OpenID Connect issuer at which people sign in, and the page's client there; undefined with other providers. */
export function signInElsewhere({ auth: { provider, oidc } }: Config) {
  if (provider !== 'oidc' || oidc.issuer === null) return undefined;
  return { issuer: oidc.issuer, client_id: oidc.client_id };
}
