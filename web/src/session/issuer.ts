import {
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  type AuthorizationServer,
  AuthorizationResponseError,
  calculatePKCECodeChallenge,
  discoveryRequest,
  generateRandomCodeVerifier,
  generateRandomNonce,
  generateRandomState,
  None,
  processAuthorizationCodeResponse,
  processDiscoveryResponse,
  validateAuthResponse,
} from 'oauth4webapi';
import { t } from '../texts/en.ts';

/** The issuer, and the public client of this page there. */
export interface Issuer {
  issuer: string;
  client_id: string;
}

/** The values of a sign-in under way; this tab keeps them while it shows the issuer's page. */
interface Journey extends Issuer {
  state: string;
  nonce: string;
  verifier: string;
  /** Where to go afterwards. */
  to: string;
}

const JOURNEY = 'caudex:sign-in';
const redirectUri = () => `${location.origin}/sign-in`;

/**
 * Goes to the issuer's own page: the authorization code flow with PKCE (RFC 6749, 7636), for an ID token.
 * @param askAgain whether the issuer asks for the password although it may have a session (OpenID Connect Core, 3.1.2.1)
 */
export async function goToIssuer({ issuer, client_id }: Issuer, to: string, askAgain: boolean): Promise<void> {
  const { authorization_endpoint: endpoint } = await discover(issuer);
  if (endpoint === undefined) throw new Error(t.session.noEndpoint(issuer));
  const verifier = generateRandomCodeVerifier();
  const journey: Journey = {
    issuer,
    client_id,
    to,
    verifier,
    state: generateRandomState(),
    nonce: generateRandomNonce(),
  };
  sessionStorage.setItem(JOURNEY, JSON.stringify(journey));
  const address = new URL(endpoint);
  const query = {
    client_id,
    redirect_uri: redirectUri(),
    response_type: 'code',
    scope: 'openid email profile',
    state: journey.state,
    nonce: journey.nonce,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...(askAgain && { prompt: 'login' }),
  };
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  location.assign(address);
}

/**
 * Exchanges the code in the issuer's answer for an ID token. Its signature is not checked here: the backend checks the token
 * and decides.
 * @param answer the query of the address to which the issuer redirected
 * @returns the token, and the path of the page to show now
 * @throws Error with a message for the person
 */
export async function idTokenFrom(answer: URLSearchParams): Promise<{ token: string; to: string }> {
  const kept = sessionStorage.getItem(JOURNEY);
  sessionStorage.removeItem(JOURNEY);
  if (kept === null) throw new Error(t.session.notBegunHere);
  const { issuer, client_id, state, nonce, verifier, to } = JSON.parse(kept) as Journey;
  const server = await discover(issuer);
  const client = { client_id };
  try {
    const checked = validateAuthResponse(server, client, answer, state);
    const grant = authorizationCodeGrantRequest(
      server,
      client,
      None(),
      checked,
      redirectUri(),
      verifier,
      options(issuer),
    );
    const { id_token: token } = await processAuthorizationCodeResponse(server, client, await grant, {
      expectedNonce: nonce,
      requireIdToken: true,
    });
    if (token === undefined) throw new Error(t.session.noToken);
    return { token, to };
  } catch (error) {
    if (error instanceof AuthorizationResponseError) {
      throw new Error(error.error === 'access_denied' ? t.session.declined : t.session.issuerSaid(error.message), {
        cause: error,
      });
    }
    throw error;
  }
}

async function discover(issuer: string): Promise<AuthorizationServer> {
  const address = new URL(issuer);
  try {
    return await processDiscoveryResponse(address, await discoveryRequest(address, options(issuer)));
  } catch (error) {
    throw new Error(t.session.issuerAway(address.host), { cause: error });
  }
}

/** The settings of production refuse an issuer without TLS; on a developer's machine there may be one. */
const options = (issuer: string) => ({ [allowInsecureRequests]: issuer.startsWith('http:') });
