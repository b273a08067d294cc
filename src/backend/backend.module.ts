import fastifyCookie from '@fastify/cookie';
import fastifyMultipart from '@fastify/multipart';
import { Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { APP_GUARD, APP_PIPE } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import { TerminusModule } from '@nestjs/terminus';
import { ConfigModule } from '../config/config.module.js';
import type { Config } from '../config/config.schema.js';
import { AuthModule } from '../downstream/auth/auth.module.js';
import { BillingModule } from '../downstream/billing/billing.module.js';
import { ChromaModule } from '../downstream/chroma/chroma.module.js';
import { FilesystemModule } from '../downstream/filesystem/filesystem.module.js';
import { GitModule } from '../downstream/git/git.module.js';
import { LlmModule } from '../downstream/llm/llm.module.js';
import { HealthController } from '../http/health.controller.js';
import { HttpModule } from '../http/http.module.js';
import { faultsOf, invalidRequest } from '../http/implements.decorator.js';
import { OutboxModule } from '../outbox/outbox.module.js';
import { ResilienceModule } from '../resilience/resilience.module.js';
import { ServiceRegistry } from '../resilience/service-registry.js';
import type { Tracing } from '../tracing/tracing.js';
import { BillingController } from './billing/billing.controller.js';
import { Credits } from './billing/credits.service.js';
import { useBodyParsers } from './edge/body-parsers.js';
import { CacheModule } from './cache/cache.module.js';
import { AnswerCache } from './chat/answer-cache.service.js';
import { Answering } from './chat/answering.service.js';
import { ChatController } from './chat/chat.controller.js';
import { ChatService } from './chat/chat.service.js';
import { ModelRelay } from './chat/model-relay.service.js';
import { MessageStreams } from './chat/message-streams.service.js';
import { ConversationsController } from './conversations/conversations.controller.js';
import { ConversationsService } from './conversations/conversations.service.js';
import { Turns } from './conversations/turns.service.js';
import { DemoProject } from './demo/demo-project.service.js';
import { BulkController } from './documents/bulk.controller.js';
import { BulkUpload } from './documents/bulk-upload.service.js';
import { DocumentSync } from './documents/document-sync.service.js';
import { DocumentsController } from './documents/documents.controller.js';
import { DocumentsService } from './documents/documents.service.js';
import { HistoryController } from './history/history.controller.js';
import { ImportsController } from './imports/imports.controller.js';
import { Importing } from './imports/importing.service.js';
import { ImportStore } from './imports/import.store.js';
import { Imports } from './imports/imports.service.js';
import { IdempotencyStore } from './edge/idempotency/idempotency.store.js';
import { shedLoad } from './edge/limits/load-shedding.js';
import { RateLimits } from './edge/limits/rate-limits.service.js';
import { createApiDocument } from './edge/openapi.js';
import { OpenAiController } from './openai/openai.controller.js';
import { servePage } from './page/serve-page.js';
import { ProjectAccess } from './projects/project-access.service.js';
import { ProjectsController } from './projects/projects.controller.js';
import { ProjectsService } from './projects/projects.service.js';
import { SharedReadsInterceptor } from './edge/reads/shared-reads.interceptor.js';
import { ChatPassages } from './search/chat-passages.service.js';
import { ResultCache } from './search/result-cache.service.js';
import { Retrieval } from './search/retrieval.service.js';
import { SearchController } from './search/search.controller.js';
import { useSecurityHeaders } from './edge/security-headers.js';
import { SessionController } from './session/session.controller.js';
import { SessionGuard } from './session/session.guard.js';
import { SessionService } from './session/session.service.js';
import { BackendMetrics } from './status/backend-metrics.service.js';
import { HealthReportController } from './health/health-report.controller.js';
import { MetricsController } from './status/metrics.controller.js';
import { OutboxController } from './status/outbox.controller.js';
import { StatusController } from './status/status.controller.js';

/** The public API. */
@Module({
  imports: [
    ConfigModule,
    HttpModule,
    ResilienceModule,
    OutboxModule,
    TerminusModule,
    AuthModule,
    FilesystemModule,
    ChromaModule,
    BillingModule,
    GitModule,
    LlmModule,
    CacheModule,
  ],
  controllers: [
    SessionController,
    ProjectsController,
    DocumentsController,
    BulkController,
    HistoryController,
    ImportsController,
    SearchController,
    ChatController,
    ConversationsController,
    BillingController,
    OpenAiController,
    StatusController,
    OutboxController,
    HealthReportController,
    HealthController,
    MetricsController,
  ],
  providers: [
    { provide: APP_GUARD, useClass: SessionGuard },
    {
      provide: APP_PIPE,
      useFactory: () =>
        new StandardSchemaValidationPipe({
          exceptionFactory: (issues) => invalidRequest(issues.flatMap((issue) => faultsOf(issue))),
        }),
    },
    SessionService,
    RateLimits,
    ProjectAccess,
    ProjectsService,
    DocumentsService,
    BulkUpload,
    Imports,
    Importing,
    ImportStore,
    DocumentSync,
    Retrieval,
    ChatPassages,
    ResultCache,
    Turns,
    ConversationsService,
    Credits,
    ChatService,
    Answering,
    ModelRelay,
    AnswerCache,
    MessageStreams,
    DemoProject,
    IdempotencyStore,
    BackendMetrics,
    SharedReadsInterceptor,
  ],
})
export class BackendModule {
  static async configure(app: NestFastifyApplication, config: Config, tracing?: Tracing): Promise<void> {
    tracing?.attempts(app.get(ServiceRegistry).all());
    shedLoad(app.getHttpAdapter().getInstance(), config.shedding);
    await useSecurityHeaders(app.getHttpAdapter().getInstance());
    await app.register(fastifyCookie);
    await app.register(fastifyMultipart, { limits: { fileSize: config.http.max_body_bytes, files: 2, fields: 10 } });
    useBodyParsers(app, config.http.max_body_bytes);
    SwaggerModule.setup('v1/api/docs', app, () => createApiDocument(app), {
      jsonDocumentUrl: 'v1/api/openapi.json',
      raw: ['json'],
    });
    await servePage(app.getHttpAdapter().getInstance());
  }
}
