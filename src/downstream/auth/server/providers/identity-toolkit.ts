import { z } from 'zod';
import { Problem } from '../../../../http/problem.js';
import { type Outside, outsideAway } from './outside.js';

const signedInSchema = z.object({ idToken: z.string(), localId: z.string().min(1), email: z.string().optional() });
const errorSchema = z.object({ error: z.object({ message: z.string() }) });

/** The error codes that mean that address and password do not match. */
const NO_MATCH = ['EMAIL_NOT_FOUND', 'INVALID_PASSWORD', 'INVALID_LOGIN_CREDENTIALS', 'INVALID_EMAIL'];

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

/** Sign-in by password at Google's Identity Toolkit (REST, v1), which is what Firebase's own clients call. */
export class IdentityToolkit {
  constructor(
    private readonly outside: Outside,
    private readonly url: string,
    private readonly apiKey: string,
  ) {}

  /** @returns an ID token; undefined where the address and the password do not go together */
  async signIn(email: string, password: string): Promise<string | undefined> {
    const answer = await this.post('accounts:signInWithPassword', { email, password, returnSecureToken: true });
    if ('refused' in answer) {
      if (NO_MATCH.includes(answer.refused)) return undefined;
      throw refusal(answer);
    }
    return signedInSchema.parse(answer.body).idToken;
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

  private async post(method: string, body: object): Promise<{ body: unknown } | Refused> {
    try {
      const answer = await this.outside.call(`${this.url}/${method}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-goog-api-key': this.apiKey },
        body: JSON.stringify(body),
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
