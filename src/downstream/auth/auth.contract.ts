import { z } from 'zod';
import type { ServiceContract } from '../../contract/endpoint.js';

export const userSchema = z
  .object({
    user_id: z.string().min(1),
    email: z.string(),
    operator: z.boolean(),
  })
  .meta({ title: 'User' });
export type User = z.output<typeof userSchema>;

export const keyScopeSchema = z.enum(['read', 'write', 'chat']);
export type KeyScope = z.output<typeof keyScopeSchema>;

export const apiKeySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(keyScopeSchema),
    /** The only project that the key gives access to; null: all projects of the user. */
    project_id: z.string().nullable(),
    /** UTC, ISO 8601, like all times here. */
    created_at: z.string(),
    expires_at: z.string().nullable(),
    last_used_at: z.string().nullable(),
  })
  .meta({ title: 'ApiKey' });
export type ApiKey = z.output<typeof apiKeySchema>;

export const invitationSchema = z
  .object({
    id: z.string(),
    /** The only address that may use it; null: any. */
    email: z.string().nullable(),
    /** The address of the operator, or the user of the operating system. */
    created_by: z.string(),
    created_at: z.string(),
    expires_at: z.string(),
    used_at: z.string().nullable(),
    /** The id of the account that was made with it. */
    used_by: z.string().nullable(),
  })
  .meta({ title: 'Invitation' });
export type Invitation = z.output<typeof invitationSchema>;

/**
 * Why a token is not valid. `unknown`: no such key or account. The last three occur with tokens of an external
 * provider.
 */
export const tokenFaultSchema = z.enum([
  'malformed',
  'expired',
  'revoked',
  'unknown',
  'wrong_issuer',
  'wrong_audience',
  'email_unverified',
]);
export type TokenFault = z.output<typeof tokenFaultSchema>;

const credentials = z.strictObject({
  email: z.string(),
  password: z.string(),
  /** The client's network address: wrong guesses are slowed per account and per address. */
  address: z.string().optional(),
});
const sessionSchema = z.object({
  token: z.string(),
  /** UTC, ISO 8601. */
  expires_at: z.string(),
  user: userSchema,
});

export const authContract = {
  /**
   * 403 `registration_closed`, `invitation_required`, `invitation_invalid`; 409 `email_taken`; 422 `password_too_short` and
   * other codes for an address or password that is refused.
   */
  register: {
    method: 'POST',
    path: '/accounts',
    body: credentials.extend({ invitation: z.string().max(200).optional() }),
    response: z.object({ user: userSchema }),
    status: 201,
    idempotent: false,
  },
  /** 401 `invalid_credentials`, the same for an unknown account; 429 with Retry-After after too many guesses. */
  login: { method: 'POST', path: '/sessions', body: credentials, response: sessionSchema, idempotent: false },
  /**
   * An invalid token is an answer here, not an error. 424: only the external provider could verify it, and it is
   * unavailable.
   */
  verify: {
    method: 'POST',
    path: '/sessions/verify',
    body: z.strictObject({ token: z.string() }),
    response: z.discriminatedUnion('active', [
      z.object({
        active: z.literal(true),
        user: userSchema,
        expires_at: z.string(),
        /** When the person signed in for this token, as far as it tells; absent for an API key. */
        signed_in_at: z.string().optional(),
        /** For an API key: its permissions. */
        key: apiKeySchema.optional(),
      }),
      z.object({ active: z.literal(false), reason: tokenFaultSchema }),
    ]),
    idempotent: true,
    safe: true,
  },
  revoke: {
    method: 'POST',
    path: '/sessions/revoke',
    body: z.strictObject({ token: z.string() }),
    response: z.object({ revoked: z.boolean() }),
    idempotent: true,
  },
  /**
   * Checks that the owner of the account is present, before something that cannot be undone: by the password, or by a token
   * of a sign-in within `auth.fresh_session_ms`. 401 `invalid_credentials`, `token_invalid`; 403 `sign_in_again` for an
   * older token without a password; 429 with Retry-After after too many guesses.
   */
  confirmOwner: {
    method: 'POST',
    path: '/sessions/confirm',
    body: z.strictObject({ token: z.string(), password: z.string().optional(), address: z.string().optional() }),
    response: z.object({ confirmed: z.literal(true) }),
    idempotent: false,
  },
  /**
   * Deletes the account of the call's user, and the keys and sessions made until `ended_at`. An account at an external
   * provider stays there: only what is kept here of it is deleted.
   */
  closeAccount: {
    method: 'DELETE',
    path: '/account',
    query: z.strictObject({ ended_at: z.iso.datetime() }),
    response: z.object({ closed: z.literal(true) }),
    idempotent: true,
  },
  /** The users with an address, for an operator: none, one, or, with an external provider, several. */
  findUsers: {
    method: 'GET',
    path: '/users',
    query: z.strictObject({ email: z.string().min(1).max(254) }),
    response: z.object({ users: z.array(userSchema) }),
    idempotent: true,
  },
  /** 422 `too_many_keys`. Only this answer contains the key itself. */
  createKey: {
    method: 'POST',
    path: '/keys',
    body: apiKeySchema.pick({ name: true, scopes: true, project_id: true, expires_at: true }).strict(),
    response: apiKeySchema.extend({ key: z.string() }),
    status: 201,
    idempotent: false,
  },
  listKeys: {
    method: 'GET',
    path: '/keys',
    response: z.object({ keys: z.array(apiKeySchema) }),
    idempotent: true,
  },
  deleteKey: {
    method: 'DELETE',
    path: '/keys/:key_id',
    params: z.strictObject({ key_id: z.string().min(1) }),
    response: z.object({ deleted: z.boolean() }),
    idempotent: true,
  },
  /** 409 `invitations_off`; 422 `email_invalid`, `too_many_invitations`. Only this answer contains the token. */
  createInvitation: {
    method: 'POST',
    path: '/invitations',
    body: invitationSchema.pick({ email: true, expires_at: true, created_by: true }).strict(),
    response: invitationSchema.extend({ token: z.string() }),
    status: 201,
    idempotent: false,
  },
  listInvitations: {
    method: 'GET',
    path: '/invitations',
    response: z.object({ invitations: z.array(invitationSchema) }),
    idempotent: true,
  },
  deleteInvitation: {
    method: 'DELETE',
    path: '/invitations/:invitation_id',
    params: z.strictObject({ invitation_id: z.string().min(1) }),
    response: z.object({ deleted: z.boolean() }),
    idempotent: true,
  },
} as const satisfies ServiceContract;
