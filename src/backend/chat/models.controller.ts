import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Answers } from '../edge/openapi.js';
import { NeedsScope } from '../call/key-scopes.js';
import { ModelRelay } from './model-relay.service.js';

const modelsSchema = z.object({
  models: z.array(z.object({ model: z.string(), default: z.boolean() })),
});

@ApiTags('chat')
@Controller('v1/api/models')
export class ModelsController {
  constructor(private readonly relay: ModelRelay) {}

  @Get()
  @NeedsScope('chat')
  @ApiOperation({ summary: 'The language models that a chat may choose from, in the order in which they are asked' })
  @Answers(200, modelsSchema)
  list(): z.output<typeof modelsSchema> {
    const names = [...new Set(this.relay.models)];
    return { models: names.map((model, index) => ({ model, default: index === 0 })) };
  }
}
