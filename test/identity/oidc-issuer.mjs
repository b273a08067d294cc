// A real OpenID Connect provider on a port: node oidc-issuer.mjs FOLDER PORT [PAGE], where FOLDER holds
// node_modules/oidc-provider, and PAGE is the origin of a page that signs people in with a public client.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, port, page] = process.argv.slice(2);
const entry = createRequire(join(folder, 'package.json')).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(entry).href);
// A new key at each start.
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'RS256', use: 'sig' };
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'caudex',
      client_secret: 'a secret of the client',
      redirect_uris: ['http://127.0.0.1:1/callback'],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
    ...(page === undefined
      ? []
      : [
          {
            client_id: 'caudex-page',
            token_endpoint_auth_method: 'none',
            application_type: 'native',
            redirect_uris: [`${page}/sign-in`],
            grant_types: ['authorization_code'],
            response_types: ['code'],
          },
        ]),
  ],
  clientBasedCORS: () => true,
  // Any login is an account; its claims are in the ID token.
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true, roles: [id] }),
  }),
  claims: { openid: ['sub', 'email', 'email_verified', 'roles'] },
  jwks: { keys: [key] },
  conformIdTokenClaims: false,
  pkce: { required: (_context, { clientId }) => clientId === 'caudex-page' },
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
