import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose';

interface Account {
  localId: string;
  password: string;
  verified: boolean;
  disabled: boolean;
}

/** An identity provider for tests: it publishes its keys and its discovery document, and signs in by password as Firebase does. */
export class Issuer {
  readonly accounts = new Map<string, Account>();
  readonly verificationMails: string[] = [];
  /** The requested paths. */
  readonly asked: string[] = [];
  /** Answers 503 to everything while true. */
  away = false;
  /** Of the key set, in seconds. */
  maxAge = 3600;
  /** The claims in the ID tokens of a sign-in. */
  claims: JWTPayload = {};
  private readonly keys = new Map<string, { privateKey: CryptoKey; publicKey: CryptoKey }>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Issuer> {
    const server = createServer();
    const issuer = new Issuer(server);
    server.on('request', (request, response) => void issuer.answer(request, response));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    await issuer.addKey('first');
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async addKey(kid: string): Promise<void> {
    this.keys.set(kid, await generateKeyPair('RS256', { extractable: true }));
  }

  removeKey(kid: string): void {
    this.keys.delete(kid);
  }

  sign(claims: JWTPayload, { kid = 'first', expiresIn = 3600 }: { kid?: string; expiresIn?: number } = {}) {
    const now = Math.floor(Date.now() / 1000);
    const { privateKey } = this.keys.get(kid) as { privateKey: CryptoKey };
    return new SignJWT({ iat: now - 10, exp: now + expiresIn, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid })
      .sign(privateKey);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    this.asked.push(path);
    const send = (status: number, body: unknown) =>
      response
        .writeHead(status, { 'content-type': 'application/json', 'cache-control': `public, max-age=${this.maxAge}` })
        .end(JSON.stringify(body));
    if (this.away) return void send(503, {});
    if (path === '/keys') return void send(200, await this.keySet());
    if (path === '/.well-known/openid-configuration') {
      return void send(200, { issuer: this.url, jwks_uri: `${this.url}/keys` });
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    if (path.endsWith('/token')) {
      const fault = this.faultOf(new URLSearchParams(text).get('refresh_token') ?? '');
      return void send(fault === undefined ? 200 : 400, fault === undefined ? {} : { error: { message: fault } });
    }
    const body = JSON.parse(text) as Record<string, string>;
    const answer = await this.toolkit(path.split(':')[1] ?? '', body);
    send(typeof answer === 'string' ? 400 : 200, typeof answer === 'string' ? { error: { message: answer } } : answer);
  }

  private async keySet() {
    const keys = [...this.keys].map(async ([kid, { publicKey }]) => ({
      ...(await exportJWK(publicKey)),
      kid,
      alg: 'RS256',
      use: 'sig',
    }));
    return { keys: await Promise.all(keys) };
  }

  /** An error's code, or an answer. */
  private async toolkit(method: string, { email = '', password = '', idToken = '' }: Record<string, string>) {
    const account = this.accounts.get(email);
    if (method === 'lookup') return this.faultOf(decodeJwt(idToken).sub ?? '') ?? { users: [{}] };
    if (method === 'sendOobCode') return { email: this.verificationMails.push('sent') };
    if (method === 'signUp') {
      if (account !== undefined) return 'EMAIL_EXISTS';
      if (password === 'password') return 'WEAK_PASSWORD : Password is in every list';
      const made = { localId: `uid-${this.accounts.size}`, password, verified: false, disabled: false };
      this.accounts.set(email, made);
      return this.signedIn(email, made);
    }
    if (account?.password !== password) return 'INVALID_LOGIN_CREDENTIALS';
    return account.disabled ? 'USER_DISABLED' : this.signedIn(email, account);
  }

  /** Why the account with this id may not use its tokens. */
  private faultOf(localId: string): string | undefined {
    const account = [...this.accounts.values()].find((one) => one.localId === localId);
    if (account === undefined) return 'USER_NOT_FOUND';
    return account.disabled ? 'USER_DISABLED' : undefined;
  }

  private async signedIn(email: string, { localId, verified }: Account) {
    const idToken = await this.sign({ ...this.claims, sub: localId, email, email_verified: verified });
    return { idToken, localId, email, refreshToken: localId };
  }
}
