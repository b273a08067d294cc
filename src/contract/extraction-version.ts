/** The number of an extraction, at the end of a version. */
const NUMBER = /\.(\d+)$/;

/**
 * The version of an upload, for that of any text that was taken from it. The recognition of pictures gives an upload its
 * text later, under versions such as `3f2c….1`; a client that knows the version of its upload still refers to it.
 */
export function uploadVersion(version: string): string {
  return version.replace(NUMBER, '');
}

/** The version of the next text that is taken from the same upload. */
export function nextExtraction(version: string): string {
  const number = Number(NUMBER.exec(version)?.[1] ?? 0);
  return `${uploadVersion(version)}.${number + 1}`;
}
