import type { SpanExporter } from '@opentelemetry/sdk-trace';

const QUIET_MS = 60_000;

/** Logs that the collector takes no spans, at most once a minute. The wrapped exporter retries by itself. */
export class WatchedExporter implements SpanExporter {
  private quietUntilMs = -Infinity;

  constructor(
    private readonly exporter: SpanExporter,
    private readonly warn: (why: string) => void,
  ) {}

  export(...[spans, done]: Parameters<SpanExporter['export']>): void {
    this.exporter.export(spans, (result) => {
      done(result);
      if (result.error !== undefined) this.report(result.error);
    });
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }

  private report(error: Error & { code?: string | number }): void {
    const now = performance.now();
    if (now < this.quietUntilMs) return;
    this.quietUntilMs = now + QUIET_MS;
    // The error for a name with several addresses has a code but no message.
    this.warn([error.code, error.message].filter(Boolean).join(' '));
  }
}
