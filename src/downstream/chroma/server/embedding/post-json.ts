/** The endpoint answered with a status other than 2xx. */
export class StatusError extends Error {
  constructor(readonly status: number) {
    super(`status ${status}`);
    this.name = 'StatusError';
  }
}

/** Posts to `path` below a base URL. @throws StatusError, and TypeError where there was no answer */
export async function postJson(
  baseUrl: string,
  path: string,
  body: unknown,
  apiKey: string | undefined,
  signal: AbortSignal,
): Promise<unknown> {
  const response = await fetch(`${baseUrl.replace(/(?<!\/)\/+$/, '')}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new StatusError(response.status);
  }
  return response.json();
}
