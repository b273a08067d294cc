import { Problem } from '../../http/problem.js';
import { idSchema } from '../edge/schemas.js';

/** The model without documents; a project is the model `caudex:<project_id>`. */
export const MODEL = 'caudex';

/**
 * The project that a request names by its model or by the header `X-Caudex-Project`, which takes precedence.
 * @throws Problem 404 for an unknown model
 */
export function projectOf(model: string, header: string | undefined): string | undefined {
  const project = header ?? (model.startsWith(`${MODEL}:`) ? model.slice(MODEL.length + 1) : undefined);
  if (project === undefined && model !== MODEL) {
    throw noModel(`model: ${JSON.stringify(model)} is none; "${MODEL}" and "${MODEL}:<project_id>" are`);
  }
  if (project !== undefined && !idSchema.safeParse(project).success) {
    throw noModel(`model: ${JSON.stringify(project)} is no project id`);
  }
  return project;
}

export const noModel = (detail: string) => fault(404, 'model_not_found', 'model', detail);

export const unsupported = (path: string, detail: string) => fault(400, 'unsupported_parameter', path, detail);

const fault = (status: number, code: string, path: string, detail: string) =>
  new Problem({ status, code, detail, errors: [{ path, detail }] });
