import type { AppName } from './config/config.schema.js';
import type { AppModule } from './http/server.js';

/** The root module of each process, imported only where it is started. */
export const apps: Record<AppName, () => Promise<AppModule>> = {
  backend: async () => (await import('./backend/backend.module.js')).BackendModule,
  auth: async () => (await import('./downstream/auth/server/auth-server.module.js')).AuthServerModule,
  filesystem: async () =>
    (await import('./downstream/filesystem/server/filesystem-server.module.js')).FilesystemServerModule,
  chroma: async () => (await import('./downstream/chroma/server/chroma-server.module.js')).ChromaServerModule,
  billing: async () => (await import('./downstream/billing/server/billing-server.module.js')).BillingServerModule,
  git: async () => (await import('./downstream/git/server/git-server.module.js')).GitServerModule,
};
