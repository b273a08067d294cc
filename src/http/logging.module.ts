import { Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { type Logger, pino } from 'pino';
import { ConfigModule, CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.schema.js';

/**
 * The process's logger. It never gets a request or response object, because those hold tokens, cookies and people's
 * texts.
 */
async function createLogger({ log }: Config): Promise<Logger> {
  const options = { level: log.level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (log.format === 'json') return pino(options);
  const { default: pretty } = await import('pino-pretty');
  return pino(
    options,
    pretty({
      colorize: false,
      translateTime: 'SYS:HH:MM:ss.l',
      ignore: 'context,service,attempt,request_id',
      sync: true,
      singleLine: true,
      messageFormat: (log, messageKey) => printable(String(log[messageKey])),
    }),
  );
}

/** Escapes line ends and terminal control characters, which names from people may contain. */
function printable(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

@Module({
  imports: [
    LoggerModule.forRootAsync({
      imports: [ConfigModule],
      inject: [CONFIG],
      useFactory: async (config: Config) => ({
        pinoHttp: { logger: await createLogger(config) },
        // A Fastify hook logs requests: this middleware costs more per request than the hook.
        forRoutes: [],
      }),
    }),
  ],
  exports: [LoggerModule],
})
export class LoggingModule {}
