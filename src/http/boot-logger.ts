import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'nestjs-pino';

/** Nest logs a line for every module and route at its start, which does not help to run the program. */
const BOOT = new Set(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestFactory', 'NestApplication']);

/** The process's logger without Nest's lines about its start. */
export function withoutBootLines(logger: Logger): LoggerService {
  return {
    log: (message: unknown, ...rest: unknown[]) => {
      if (!BOOT.has(String(rest.at(-1)))) logger.log(message, ...rest);
    },
    // The caller of the start reports its failure, in one line.
    error: (message: unknown, ...rest: unknown[]) => {
      if (!BOOT.has(String(rest.at(-1)))) logger.error(message, ...rest);
    },
    warn: (message: unknown, ...rest: unknown[]) => logger.warn(message, ...rest),
    debug: (message: unknown, ...rest: unknown[]) => logger.debug(message, ...rest),
    verbose: (message: unknown, ...rest: unknown[]) => logger.verbose(message, ...rest),
  };
}
