// Writes the types of the public API for the page, from the OpenAPI document of the built backend. The backend is
// described without being started: nothing listens and nothing is connected.
import 'reflect-metadata';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import openapiTypescript, { astToString } from 'openapi-typescript';

const root = join(import.meta.dirname, '..');
const { BackendModule } = await import(join(root, 'dist/backend/backend.module.js'));
const { currentConfig, withConfig } = await import(join(root, 'dist/config/config.module.js'));
const { createApiDocument } = await import(join(root, 'dist/backend/edge/openapi.js'));

const app = await withConfig(currentConfig(), () =>
  NestFactory.create(BackendModule, new FastifyAdapter(), { preview: true, logger: ['error'], abortOnError: false }),
);
const document = JSON.parse(JSON.stringify(createApiDocument(app)));
const target = join(root, 'web/generated');
mkdirSync(target, { recursive: true });
writeFileSync(join(target, 'api.d.ts'), astToString(await openapiTypescript(document)));
