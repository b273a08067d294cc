import { load, problems } from './testing/loading.js';

const PRODUCTION = {
  NODE_ENV: 'production',
  INTERNAL_SERVICE_TOKEN: '9f2c4e7ab81d03564f6e8a90b7c1d2e3f4a5968778695a4b',
};
const FIREBASE = { CAUDEX__AUTH__PROVIDER: 'firebase', FIREBASE_PROJECT_ID: 'caudex-test' };
const OIDC = { CAUDEX__AUTH__PROVIDER: 'oidc', OIDC_ISSUER: 'https://login.example.com/', OIDC_AUDIENCE: 'caudex' };

it.each([FIREBASE, OIDC])('accepts %j in production', (settings) => {
  expect(problems({ ...PRODUCTION, ...settings })).toEqual([]);
});

it.each([
  [{ CAUDEX__AUTH__PROVIDER: 'saml' }, 'auth.provider'],
  [{ ...FIREBASE, FIREBASE_PROJECT_ID: '' }, 'auth.firebase.project_id: missing'],
  [{ ...FIREBASE, FIREBASE_PROJECT_ID: 'https://x' }, 'auth.firebase.project_id (from FIREBASE_PROJECT_ID)'],
  [{ ...OIDC, OIDC_ISSUER: '' }, 'auth.oidc.issuer: missing'],
  [{ ...OIDC, OIDC_AUDIENCE: '' }, 'auth.oidc.audience: missing'],
  [{ ...OIDC, CAUDEX__AUTH__OPERATORS: '[a@example.com]' }, 'auth.operators: refused'],
  [{ ...FIREBASE, CAUDEX__AUTH__DEMO_ACCOUNT: 'true' }, 'auth.demo_account: true is refused'],
  [{ ...PRODUCTION, FIREBASE_AUTH_EMULATOR_HOST: 'localhost:9099' }, 'unset FIREBASE_AUTH_EMULATOR_HOST'],
  [{ ...PRODUCTION, ...OIDC, OIDC_ISSUER: 'http://login.example.com' }, 'auth.oidc.issuer: "http://login.example.com"'],
])('names what is wrong with %j', (settings, problem) => {
  expect(problems(settings)).toEqual([expect.stringContaining(problem)]);
});

it('accepts the emulator outside of production', () => {
  const { auth } = load({ ...FIREBASE, FIREBASE_AUTH_EMULATOR_HOST: 'localhost:9099' });
  expect(auth.firebase.emulator_host).toBe('localhost:9099');
});
