import type { LogSink } from '../service-log.js';

/** Keeps its lines in memory. */
export class RecordedLog implements LogSink {
  readonly lines: string[] = [];
  readonly entries: { level: string; fields: Record<string, unknown>; message: string }[] = [];
  readonly logger = { isLevelEnabled: () => true };
  readonly debug = this.keep('debug');
  readonly info = this.keep('info');
  readonly warn = this.keep('warn');
  readonly error = this.keep('error');

  private keep(level: string) {
    return (fields: object, message: string): void => {
      this.lines.push(message);
      this.entries.push({ level, fields: fields as Record<string, unknown>, message });
    };
  }
}

/** Writes nothing. */
export const silentLog: LogSink = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  logger: { isLevelEnabled: () => false },
};
