/** The account of a developer's machine, made where `auth.demo_account` is true; `production` refuses it. */
export const DEMO_ACCOUNT = { email: 'demo@caudex.local', password: 'caudex-demo' } as const;
