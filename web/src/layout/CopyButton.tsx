import { useState } from 'react';
import { t } from '../texts/en.ts';

const SHOWN_MS = 1500;

export function CopyButton({ text, label = t.chat.copy }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), SHOWN_MS);
  };
  return (
    <button className="button button-quiet button-small" onClick={() => void copy()}>
      {copied ? t.chat.copied : label}
    </button>
  );
}
