import { getResolvedPDFJS } from 'unpdf';
import type { PdfPage } from '../outline.ts';

/** The transformation of the space in which something is drawn (ISO 32000-1, 8.3.3). */
export type Matrix = readonly [number, number, number, number, number, number];
const IDENTITY: Matrix = [1, 0, 0, 1, 0, 0];

export interface Drawing {
  operator: number;
  args: unknown[] | null;
  matrix: Matrix;
}
export type Operators = Awaited<ReturnType<typeof getResolvedPDFJS>>['OPS'];

/** What a page draws, each with its transformation, and the numbers of the operators of PDF.js. */
export async function drawingsOf(page: PdfPage): Promise<{ drawings: Iterable<Drawing>; operators: Operators }> {
  const { OPS } = await getResolvedPDFJS();
  const { fnArray, argsArray } = await page.getOperatorList();
  return { drawings: transformed(fnArray, argsArray as (unknown[] | null)[], OPS), operators: OPS };
}

function* transformed(
  operators: readonly number[],
  allArgs: readonly (unknown[] | null)[],
  OPS: Operators,
): Generator<Drawing> {
  const stack: Matrix[] = [];
  let matrix = IDENTITY;
  for (const [at, operator] of operators.entries()) {
    const args = allArgs[at] ?? null;
    if (operator === OPS.save) stack.push(matrix);
    else if (operator === OPS.restore || operator === OPS.paintFormXObjectEnd) matrix = stack.pop() ?? IDENTITY;
    else if (operator === OPS.transform) matrix = product(matrix, args as unknown as Matrix);
    else if (operator === OPS.paintFormXObjectBegin) {
      stack.push(matrix);
      matrix = product(matrix, (args?.[0] as Matrix | null) ?? IDENTITY);
    } else yield { operator, args, matrix };
  }
}

function product([a, b, c, d, e, f]: Matrix, [g, h, i, j, k, l]: Matrix): Matrix {
  return [a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * l + e, b * k + d * l + f];
}
