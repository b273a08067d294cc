import type { Warning } from '../api/shapes.ts';
import { t } from '../texts/en.ts';

/** What a document's text does not have of its file, and what one can do about it. */
export function Warnings({ warnings }: { warnings: readonly Warning[] }) {
  if (warnings.length === 0) return null;
  return (
    <details className="warnings small">
      <summary>{t.documents.warnings(warnings.length)}</summary>
      <ul>
        {warnings.map((warning, index) => (
          <li key={index}>{warningText(warning)}</li>
        ))}
      </ul>
    </details>
  );
}

export function warningText({ code, detail, place }: Warning): string {
  const said = place === undefined || detail.includes(place) ? detail : `${detail} (${place})`;
  const sentence = `${said.charAt(0).toUpperCase()}${said.slice(1)}${/[.!?]$/.test(said) ? '' : '.'}`;
  return [sentence, t.warningHelp[code] ?? ''].join(' ').trim();
}
