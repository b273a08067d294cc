import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';

const require = createRequire(import.meta.url);

/** The package with the data of a language. */
export const languagePackage = (language: string) => `@tesseract.js-data/${language}`;

/** The file with the model for the LSTM engine, with integers for speed. @throws Error where it is not installed */
export function languageFile(language: string): string {
  return require.resolve(`${languagePackage(language)}/4.0.0_best_int/${language}.traineddata.gz`);
}

export function languageData(language: string): Uint8Array {
  return gunzipSync(readFileSync(languageFile(language)));
}
