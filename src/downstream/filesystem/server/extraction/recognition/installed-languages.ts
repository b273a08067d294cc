import { StartError } from '../../../../../config/start-error.js';
import { languageFile, languagePackage } from './language-data.js';

/** @throws StartError where the data of a language is not installed */
export function requireLanguages(languages: readonly string[]): void {
  const missing = languages.filter((language) => !isInstalled(language));
  if (missing.length === 0) return;
  const packages = missing.map(languagePackage).join(' ');
  throw new StartError(
    `filesystem.ocr.languages: there is no data for ${missing.join(', ')}; install it (npm install ${packages}), or leave it out`,
  );
}

function isInstalled(language: string): boolean {
  try {
    languageFile(language);
    return true;
  } catch {
    return false;
  }
}
