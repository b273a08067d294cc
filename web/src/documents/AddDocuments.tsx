import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { api, dataOf } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { Dialog } from '../layout/Dialog.tsx';
import { RowMenu } from '../layout/RowMenu.tsx';
import { t } from '../texts/en.ts';
import { chosenFiles } from './dropped-files.ts';
import { uploadsOf } from './uploads.ts';

export function AddDocuments({ project }: { project: string }) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const [dialog, setDialog] = useState<'new' | 'import'>();
  const take = (input: HTMLInputElement) => {
    if (input.files !== null) uploadsOf(project).add(chosenFiles(input.files));
    input.value = '';
  };
  return (
    <div className="row">
      <button className="button button-primary" onClick={() => files.current?.click()}>
        {t.documents.choose}
      </button>
      <RowMenu
        label={t.documents.more}
        actions={[
          [t.documents.chooseFolder, () => folder.current?.click()],
          [t.documents.newDocument, () => setDialog('new')],
          [t.documents.import, () => setDialog('import')],
        ]}
      />
      <input ref={files} type="file" multiple hidden aria-label={t.documents.choose} onChange={(e) => take(e.target)} />
      <input
        ref={(input) => {
          folder.current = input;
          if (input !== null) input.webkitdirectory = true;
        }}
        type="file"
        hidden
        aria-label={t.documents.chooseFolder}
        onChange={(e) => take(e.target)}
      />
      <NewDocument project={project} open={dialog === 'new'} onClose={() => setDialog(undefined)} />
      <ImportRepository project={project} open={dialog === 'import'} onClose={() => setDialog(undefined)} />
    </div>
  );
}

interface AddDialogProps {
  project: string;
  open: boolean;
  onClose: () => void;
}

function NewDocument({ project, open, onClose }: AddDialogProps) {
  const navigate = useNavigate();
  return (
    <Dialog title={t.documents.newDocument} open={open} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const path = (new FormData(event.currentTarget).get('path') as string).trim();
          void navigate({
            to: '/p/$project/documents/read/$',
            params: { project, _splat: path },
            search: { view: 'edit' },
          });
        }}
      >
        <div className="field">
          <label htmlFor="new-path">{t.documents.newPath}</label>
          <input className="input" id="new-path" name="path" defaultValue="notes.md" required />
        </div>
        <button className="button button-primary">{t.documents.create}</button>
      </form>
    </Dialog>
  );
}

const POLL_MS = 1500;

const hasEnded = ({ state }: { state: string }) => state === 'done' || state === 'failed';

function ImportRepository({ project, open, onClose }: AddDialogProps) {
  const params = { path: { project_id: project } };
  const starting = useMutation({
    mutationFn: (source: string) =>
      dataOf(api.POST('/v1/api/projects/{project_id}/import', { params, body: { source } })),
  });
  const importId = starting.data?.import_id;
  const { data = starting.data } = useQuery({
    queryKey: ['import', project, importId],
    enabled: importId !== undefined,
    queryFn: async () => {
      const path = { project_id: project, import_id: importId ?? '' };
      const state = await dataOf(api.GET('/v1/api/projects/{project_id}/import/{import_id}', { params: { path } }));
      if (hasEnded(state)) void queries.invalidateQueries({ queryKey: ['documents', project] });
      return state;
    },
    refetchInterval: ({ state: { data: last } }) => (last !== undefined && hasEnded(last) ? false : POLL_MS),
  });
  return (
    <Dialog title={t.documents.import} open={open} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          starting.mutate(new FormData(event.currentTarget).get('source') as string);
        }}
      >
        <div className="field">
          <label htmlFor="import-source">{t.documents.importSource}</label>
          <input className="input" id="import-source" name="source" required />
        </div>
        <p role="status" className="small">
          {starting.error?.message}
          {data?.state === 'running' && t.documents.importRunning(data.imported_commits, data.documents)}
          {data?.state === 'waiting' && t.documents.importWaiting}
          {data?.state === 'done' && t.documents.importDone(data.documents, data.skipped)}
          {data?.state === 'failed' && data.detail}
        </p>
        <button
          className="button button-primary"
          disabled={starting.isPending || (data !== undefined && !hasEnded(data))}
        >
          {t.documents.importStart}
        </button>
      </form>
    </Dialog>
  );
}
