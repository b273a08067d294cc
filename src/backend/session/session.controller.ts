import { Body, Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { userSchema } from '../../downstream/auth/auth.contract.js';
import { Problem } from '../../http/problem.js';
import { Public } from '../../http/public.decorator.js';
import { DemoProject } from '../demo/demo-project.service.js';
import { Audited } from '../audit/audited.decorator.js';
import { addressOf } from '../call/address.js';
import { SessionOnly } from '../call/key-scopes.js';
import { RateLimits } from '../edge/limits/rate-limits.service.js';
import { Answers } from '../edge/openapi.js';
import { Call, type PublicCall, type UserCall } from '../call/public-call.js';
import { AUTH_COOKIE, refuseCrossSite, tokenOf } from './session.guard.js';
import { SessionService, unauthorized } from './session.service.js';
import { signInElsewhere } from './sign-in-elsewhere.js';

const identitySchema = z.object({ user: userSchema }).meta({ title: 'Identity' });
const providerSchema = z
  .object({
    provider: z.enum(['local', 'firebase', 'oidc']),
    issuer: z.string().nullable(),
    client_id: z.string().nullable(),
    /** Who may make an account here; absent where the provider decides that. */
    registration: z.enum(['open', 'invited', 'closed']).optional(),
  })
  .meta({ title: 'SignInProvider' });
const credentials = z
  .strictObject({
    email: z.string().min(3).max(254),
    password: z.string().min(1).max(1024),
  })
  .meta({ title: 'Credentials' });
const registration = credentials
  .extend({
    /** The token of an invitation, where `auth.registration` is `invited`. */
    invitation: z.string().min(1).max(200).optional(),
  })
  .meta({ title: 'Registration' });
/** Browsers drop a cookie above 4,096 bytes without a word; its name and attributes count. */
const MAX_COOKIE_CHARS = 3900;
type Credentials = z.output<typeof credentials>;
type Registration = z.output<typeof registration>;

@ApiTags('session')
@Controller('v1/api/auth')
export class SessionController {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly sessions: SessionService,
    private readonly limits: RateLimits,
    private readonly demo: DemoProject,
  ) {}

  @Post('register')
  @Public()
  @Audited('account.register')
  @ApiOperation({ summary: 'Make an account', security: [] })
  @Answers(201, identitySchema, 403, 409, 422)
  async register(
    @Body({ schema: registration }) body: Registration,
    @Call() call: PublicCall,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const address = addressOf(request);
    await this.limits.countSignIn(address, reply);
    const registered = await this.sessions.register({ ...body, address }, call);
    call.audit = { actor: registered.user.user_id };
    return registered;
  }

  @Post('login')
  @Public()
  @HttpCode(200)
  @Audited('session.login')
  @ApiOperation({ summary: 'Sign in; the token comes in the body and as a cookie', security: [] })
  @Answers(200, z.object({ token: z.string(), expires_at: z.string(), user: userSchema }), 401)
  async login(
    @Body({ schema: credentials }) body: Credentials,
    @Call() call: PublicCall,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const address = addressOf(request);
    await this.limits.countSignIn(address, reply);
    const session = await this.sessions.login({ ...body, address }, call);
    call.audit = { actor: session.user.user_id };
    await this.demo.ensure(session.user, call);
    void reply.setCookie(AUTH_COOKIE, session.token, {
      ...this.cookie(request),
      expires: new Date(session.expires_at),
    });
    return session;
  }

  @Get('provider')
  @Public()
  @ApiOperation({ summary: 'Where people sign in: here by password, or at an OpenID Connect issuer', security: [] })
  @Answers(200, providerSchema)
  provider() {
    const { issuer = null, client_id = null } = signInElsewhere(this.config) ?? {};
    const { provider, registration: allowed } = this.config.auth;
    return { provider, issuer, client_id, ...(provider === 'local' && { registration: allowed }) };
  }

  /** For a page whose user signed in elsewhere: a script can keep no token as safely as the browser keeps this cookie. */
  @Post('session')
  @SessionOnly()
  @HttpCode(200)
  @Audited('session.login')
  @ApiOperation({ summary: 'Keep the token of the Authorization header as the cookie of this browser' })
  @Answers(200, z.object({ expires_at: z.string(), user: userSchema }), 403, 422)
  async keep(@Call() call: UserCall, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    if (tokenOf(request).fromCookie) {
      throw unauthorized('token_missing', 'The token to keep is needed as "Authorization: Bearer <token>".');
    }
    if (call.token.length > MAX_COOKIE_CHARS) {
      const detail = `The token has ${call.token.length} characters; a browser keeps no cookie above ${MAX_COOKIE_CHARS}. Let the issuer put fewer claims into it.`;
      throw new Problem({ status: 422, code: 'token_too_long', detail });
    }
    const { user, expiresAt } = await this.sessions.verify(call.token, call);
    void reply.setCookie(AUTH_COOKIE, call.token, { ...this.cookie(request), expires: new Date(expiresAt) });
    return { expires_at: expiresAt, user };
  }

  @Post('logout')
  @Public()
  @HttpCode(200)
  @Audited('session.logout')
  @ApiOperation({ summary: 'Revoke the token, whatever its state' })
  @Answers(200, z.object({ revoked: z.literal(true) }), 401)
  async logout(
    @Call() call: PublicCall,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { token, fromCookie } = tokenOf(request);
    if (fromCookie) refuseCrossSite(request);
    call.audit = { actor: await this.sessions.logout(token, call) };
    void reply.clearCookie(AUTH_COOKIE, this.cookie(request));
    return { revoked: true };
  }

  @Get('check')
  @ApiOperation({ summary: 'Who the token speaks for' })
  @Answers(200, identitySchema)
  check(@Call() call: UserCall) {
    return { user: call.user };
  }

  private cookie(request: FastifyRequest) {
    return { path: '/', httpOnly: true, sameSite: 'lax' as const, secure: this.isSecure(request) };
  }

  /**
   * A browser does not store a secure cookie that was sent over plain http, as on a private network. The origin of the
   * page, or a trusted proxy, tells whether http was used.
   */
  private isSecure({ headers: { origin }, protocol }: FastifyRequest): boolean {
    if (origin !== undefined && /^https?:\/\//.test(origin)) return origin.startsWith('https:');
    if (this.config.http.trusted_proxies.length > 0) return protocol === 'https';
    return this.config.environment !== 'development';
  }
}
