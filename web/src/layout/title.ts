import { useEffect } from 'react';
import { t } from '../texts/en.ts';

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${t.app.name}`;
  }, [title]);
}
