/** The account for development, created where `auth.demo_account` is true; `production` refuses it. */
export const DEMO_ACCOUNT = { email: 'demo@caudex.local', password: 'caudex-demo' } as const;
