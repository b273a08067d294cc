/** A reason not to start, in words that need no stack trace: what is wrong, and what to do about it. */
export class StartError extends Error {}
