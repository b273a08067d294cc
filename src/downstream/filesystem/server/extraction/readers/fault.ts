/** A fault of a file, described for people. */
export class Fault extends Error {}
