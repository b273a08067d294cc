/** Requests that wait for the server at the same time. */
export const PARALLEL = 4;
/** Answers about the content itself: the same content is not sent again. */
export const CONTENT_REFUSED: ReadonlySet<number> = new Set([400, 413, 415, 422]);
/** Answers that concern everything. */
export const FATAL: ReadonlySet<number> = new Set([401, 402, 403, 410, 507]);
export const CHANGED_MEANWHILE = 412;
