/** A reason not to start. Its message says what is wrong and what to do, so it is printed without a stack trace. */
export class StartError extends Error {}
