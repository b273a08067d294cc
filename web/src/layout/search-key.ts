import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';

/** `/` goes to the search of the project, unless something is being typed. */
export function useSearchKey(project: string | undefined): void {
  const navigate = useNavigate();
  useEffect(() => {
    if (project === undefined) return;
    const onKey = (event: KeyboardEvent) => {
      const typing =
        event.target instanceof Element && event.target.matches('input, textarea, select, [contenteditable]');
      if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      void navigate({ to: '/p/$project/search', params: { project } });
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [navigate, project]);
}
