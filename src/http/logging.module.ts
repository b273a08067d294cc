import { Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { type Logger, pino } from 'pino';
import { ConfigModule, CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.schema.js';

/**
 * The process's logger. No request or response object is ever handed to it: what it could print of one are tokens,
 * cookies and people's words.
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

/** What people name may hold line ends and the commands of a terminal: a line of the log stays one line. */
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
        // Per-request logging is a Fastify hook of ours: the middleware would cost every request more than its work.
        forRoutes: [],
      }),
    }),
  ],
  exports: [LoggerModule],
})
export class LoggingModule {}
