import fastifyCookie from '@fastify/cookie';
import fastifyMultipart from '@fastify/multipart';
import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import type { Config } from '../config/config.schema.js';
import { ServiceRegistry } from '../resilience/service-registry.js';
import type { Tracing } from '../tracing/tracing.js';
import { AccountModule } from './account/account.module.js';
import { SessionModule } from './session/session.module.js';
import { ProjectsModule } from './projects/projects.module.js';
import { DocumentsModule } from './documents/documents.module.js';
import { HistoryModule } from './history/history.module.js';
import { ImportsModule } from './imports/imports.module.js';
import { SearchModule } from './search/search.module.js';
import { BreakerHintsModule } from './breaker-hints/breaker-hints.module.js';
import { ChatModule } from './chat/chat.module.js';
import { ConversationsModule } from './conversations/conversations.module.js';
import { CreditsModule } from './billing/credits.module.js';
import { KeysModule } from './keys/keys.module.js';
import { McpModule } from './mcp/mcp.module.js';
import { OpenAiModule } from './openai/openai.module.js';
import { StatusModule } from './status/status.module.js';
import { HealthModule } from './health/health.module.js';
import { allowOrigins } from './edge/cors.js';
import { useCompression } from './edge/compression.js';
import { useBodyParsers } from './edge/body-parsers.js';
import { shedLoad } from './edge/limits/load-shedding.js';
import { createApiDocument } from './edge/openapi.js';
import { servePage } from './page/serve-page.js';
import { useErrorFormats } from './error-formats.js';
import { signInElsewhere } from './session/sign-in-elsewhere.js';
import { useSecurityHeaders } from './edge/security-headers.js';

/** The public API: one module for each feature. */
@Module({
  imports: [
    SessionModule,
    KeysModule,
    ProjectsModule,
    DocumentsModule,
    HistoryModule,
    ImportsModule,
    SearchModule,
    ChatModule,
    ConversationsModule,
    CreditsModule,
    OpenAiModule,
    McpModule,
    AccountModule,
    StatusModule,
    HealthModule,
    BreakerHintsModule,
  ],
})
export class BackendModule {
  static async configure(app: NestFastifyApplication, config: Config, tracing?: Tracing): Promise<void> {
    tracing?.attempts(app.get(ServiceRegistry).all());
    useErrorFormats(app.getHttpAdapter().getInstance());
    shedLoad(app.getHttpAdapter().getInstance(), config.shedding);
    await useSecurityHeaders(app.getHttpAdapter().getInstance());
    allowOrigins(app, config.http.cors_origins);
    await useCompression(app);
    await app.register(fastifyCookie);
    await app.register(fastifyMultipart, { limits: { fileSize: config.http.max_body_bytes, files: 2, fields: 10 } });
    useBodyParsers(app, {
      bytes: config.http.max_body_bytes,
      jsonBytes: config.http.max_json_bytes,
    });
    SwaggerModule.setup('v1/api/docs', app, () => createApiDocument(app), {
      jsonDocumentUrl: 'v1/api/openapi.json',
      raw: ['json'],
    });
    await servePage(app.getHttpAdapter().getInstance(), { issuer: signInElsewhere(config)?.issuer });
  }
}
