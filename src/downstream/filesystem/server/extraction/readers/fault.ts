/** What is wrong with a file, for people. */
export class Fault extends Error {}
