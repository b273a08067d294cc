import { z } from 'zod';
import { Problem } from '../../../../http/problem.js';
import { type Outside, outsideAway } from './outside.js';

const signedInSchema = z.object({ idToken: z.string(), refreshToken: z.string() });
const errorSchema = z.object({ error: z.object({ message: z.string() }) });

/** The error codes that mean that address and password do not match. */
const NO_MATCH = ['EMAIL_NOT_FOUND', 'INVALID_PASSWORD', 'INVALID_LOGIN_CREDENTIALS', 'INVALID_EMAIL'];

/** The error codes that mean that an account may no longer use its tokens. */
const ENDED = ['USER_DISABLED', 'USER_NOT_FOUND', 'TOKEN_EXPIRED', 'INVALID_ID_TOKEN', 'INVALID_REFRESH_TOKEN'];

/** Firebase's refusals in terms of our contract; a detail of our own for codes that need one. */
const REFUSALS: Record<string, { status: number; code: string; detail: string }> = {
  EMAIL_EXISTS: { status: 409, code: 'email_taken', detail: 'The address has an account already; sign in with it.' },
  INVALID_EMAIL: { status: 422, code: 'email_invalid', detail: 'email: Firebase takes this for no address.' },
  WEAK_PASSWORD: { status: 422, code: 'password_too_short', detail: 'password: it is too weak for Firebase.' },
  PASSWORD_DOES_NOT_MEET_REQUIREMENTS: {
    status: 422,
    code: 'password_refused',
    detail: "password: it does not meet the project's rules for passwords.",
  },
  USER_DISABLED: { status: 403, code: 'account_disabled', detail: 'The account is disabled.' },
  OPERATION_NOT_ALLOWED: {
    status: 403,
    code: 'sign_in_disabled',
    detail: 'The Firebase project does not allow this with an address and a password.',
  },
  TOO_MANY_ATTEMPTS_TRY_LATER: {
    status: 429,
    code: 'too_many_attempts',
    detail: 'Firebase refuses further attempts for a while.',
  },
};
const TOO_MANY_RETRY_S = 60;

export interface SignedIn {
  idToken: string;
  refreshToken: string;
}

export interface ToolkitAddresses {
  /** Of Identity Toolkit, v1. */
  signIn: string;
  /** Of the exchange of refresh tokens. */
  token: string;
}

/** The REST API of Firebase Authentication (Google's Identity Toolkit, v1), which Firebase's own clients call. */
export class IdentityToolkit {
  constructor(
    private readonly outside: Outside,
    private readonly addresses: ToolkitAddresses,
    private readonly apiKey: string,
  ) {}

  /** Undefined where the address and the password do not match. */
  async signIn(email: string, password: string): Promise<SignedIn | undefined> {
    const answer = await this.post('accounts:signInWithPassword', { email, password, returnSecureToken: true });
    if ('refused' in answer) {
      if (NO_MATCH.includes(answer.refused)) return undefined;
      throw refusal(answer);
    }
    return signedInSchema.parse(answer.body);
  }

  /** @returns an ID token of the new account @throws Problem 409 `email_taken` and other reasons */
  async signUp(email: string, password: string): Promise<string> {
    const answer = await this.post('accounts:signUp', { email, password, returnSecureToken: true });
    if ('refused' in answer) throw refusal(answer);
    return signedInSchema.parse(answer.body).idToken;
  }

  /** Makes Firebase send a message to the account's address, with which its owner confirms it. */
  async sendVerification(idToken: string): Promise<void> {
    const answer = await this.post('accounts:sendOobCode', { requestType: 'VERIFY_EMAIL', idToken });
    if ('refused' in answer) throw refusal(answer);
  }

  /** Whether the account of an ID token was disabled or deleted, or its tokens were revoked. */
  async isRevoked(idToken: string): Promise<boolean> {
    return hasEnded(await this.post('accounts:lookup', { idToken }));
  }

  /** Whether a refresh token is no longer accepted, for the same reasons. */
  async isEnded(refreshToken: string): Promise<boolean> {
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken });
    return hasEnded(await this.send(this.addresses.token, { body }));
  }

  private post(method: string, body: object): Promise<{ body: unknown } | Refused> {
    return this.send(`${this.addresses.signIn}/${method}`, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  private async send(
    url: string,
    { headers, body }: { headers?: Record<string, string>; body: string | URLSearchParams },
  ): Promise<{ body: unknown } | Refused> {
    try {
      const answer = await this.outside.call(url, {
        method: 'POST',
        headers: { ...headers, 'x-goog-api-key': this.apiKey },
        body,
      });
      if (answer.status === 200) return { body: answer.body };
      const { message } = errorSchema.parse(answer.body).error;
      // "WEAK_PASSWORD : Password should be at least 6 characters"
      const [code = '', detail] = message.split(' : ');
      return { refused: code, detail };
    } catch (error) {
      throw outsideAway(this.outside.name, error);
    }
  }
}

function hasEnded(answer: object | Refused): boolean {
  if (!('refused' in answer)) return false;
  if (ENDED.includes(answer.refused)) return true;
  throw refusal(answer);
}

interface Refused {
  refused: string;
  detail: string | undefined;
}

function refusal({ refused, detail }: Refused): Problem {
  const known = REFUSALS[refused];
  if (known === undefined) {
    // The user cannot correct this; a wrong API key, for instance.
    return outsideAway('Firebase (auth.firebase.sign_in_url, FIREBASE_API_KEY)', new Error(`${refused} ${detail}`));
  }
  const retry = known.status === 429 ? { retryAfter: TOO_MANY_RETRY_S } : {};
  return new Problem({ ...known, detail: detail === undefined ? known.detail : `${known.detail} ${detail}`, ...retry });
}
