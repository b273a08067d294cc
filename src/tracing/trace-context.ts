import { type Context, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';

/** Where a span's parent is to be found; a `traceparent` that is missing or malformed begins a new trace. */
export function parentOf(traceparent: unknown, isRemote: boolean): Context {
  const parent = typeof traceparent === 'string' ? parseTraceParent(traceparent) : null;
  return parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote });
}

/** Makes whoever is given it a child of the span, sampled or not as the span is. */
export function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
