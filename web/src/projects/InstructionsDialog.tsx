import { useMutation, useQuery } from '@tanstack/react-query';
import { api, dataOf } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { Dialog } from '../layout/Dialog.tsx';
import { Loading } from '../layout/Problems.tsx';
import { projectsQuery } from '../session/session.ts';
import { t } from '../texts/en.ts';

const MAX_CHARS = 8000;

/** What a model is told before every question about a project. */
export default function InstructionsDialog({ project, onClose }: { project: string; onClose: () => void }) {
  const { data } = useQuery(projectsQuery);
  const known = data?.find(({ project_id }) => project_id === project);
  const params = { path: { project_id: project } };
  const saving = useMutation({
    mutationFn: (instructions: string) =>
      dataOf(api.PATCH('/v1/api/projects/{project_id}', { params, body: { instructions } })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['projects'] });
      onClose();
    },
  });
  return (
    <Dialog open title={t.projects.instructions} what={t.projects.instructionsWhat} onClose={onClose}>
      {known === undefined ? (
        <Loading />
      ) : (
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            saving.mutate(new FormData(event.currentTarget).get('instructions') as string);
          }}
        >
          <textarea
            className="input"
            name="instructions"
            aria-label={t.projects.instructions}
            placeholder={t.projects.instructionsExample}
            rows={7}
            maxLength={MAX_CHARS}
            defaultValue={known.instructions}
          />
          {saving.error !== null && (
            <p className="form-problem" role="alert">
              {saving.error.message}
            </p>
          )}
          <div className="row">
            <button className="button button-primary" disabled={saving.isPending}>
              {t.chat.save}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
