/** What an answer says of its error. */
export interface Explanation {
  code: string;
  detail: string;
}

type Fields = Record<string, unknown>;
const MAX_DETAIL_CHARS = 500;

/**
 * The explanation in a refusal: our own problem+json, or an error in the shapes of OpenAI, Gemini (in an array), vLLM and
 * Mistral (without `error`), FastAPI (`detail`), Ollama (a text); undefined where there is none.
 */
export function explanationIn(body: Buffer): Explanation | undefined {
  const text = body.toString().trim();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // A page of HTML explains nothing.
    return text === '' || text.startsWith('<') ? undefined : { code: 'error', detail: shortened(text) };
  }
  const fields = (Array.isArray(json) ? json[0] : json) as unknown;
  if (typeof fields !== 'object' || fields === null) return undefined;
  const { code, detail, error = fields } = fields as Fields;
  return typeof code === 'string' && typeof detail === 'string' ? { code, detail } : explained(error);
}

function explained(error: unknown): Explanation | undefined {
  if (typeof error === 'string') return { code: 'error', detail: shortened(error) };
  const { code, type, status, message, detail } = (error ?? {}) as Fields;
  const told = textOf(message) ?? textOf(detail);
  if (told === undefined) return undefined;
  const name = [code, type, status].find((one) => typeof one === 'string' || typeof one === 'number');
  return { code: String(name ?? 'error'), detail: shortened(told) };
}

/** A text, or FastAPI's list of faults, each with its place. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) {
    return value.map(({ loc, msg }: Fields) => `${Array.isArray(loc) ? loc.join('.') : ''}: ${String(msg)}`).join('; ');
  }
  return typeof value === 'object' && value !== null ? textOf((value as Fields)['detail']) : undefined;
}

const shortened = (text: string) => text.slice(0, MAX_DETAIL_CHARS);
