import type { PdfPage } from '../outline.ts';
import { drawingsOf, type Matrix } from './drawings.ts';

/** A straight line that is drawn across (`at` is its height) or down (`at` is its place from the left). */
export interface Rule {
  isAcross: boolean;
  at: number;
  from: number;
  to: number;
}

/** A filled box that is thinner than this is a line, in units of the page. */
const MAX_THICKNESS = 3;
/** A line that is out of true by less than this is straight. */
const SLACK = 0.5;
/** More are a drawing, and no table. */
const MAX_RULES = 2000;

type Point = readonly [number, number];

/** The straight lines of a page; none where it is a drawing of many lines. */
export async function rulesOf(page: PdfPage): Promise<Rule[]> {
  const { drawings, operators: OPS } = await drawingsOf(page);
  const strokes = new Set([OPS.stroke, OPS.closeStroke]);
  const fills = new Set([
    OPS.fill,
    OPS.eoFill,
    OPS.fillStroke,
    OPS.eoFillStroke,
    OPS.closeFillStroke,
    OPS.closeEOFillStroke,
  ]);
  const rules: Rule[] = [];
  for (const { operator, args, matrix } of drawings) {
    if (operator !== OPS.constructPath) continue;
    const [paint, [path] = []] = args as [number, [ArrayLike<number> | null] | undefined];
    if (!path || (!strokes.has(paint) && !fills.has(paint))) continue;
    for (const line of polylines(path, matrix)) rules.push(...(strokes.has(paint) ? stroked(line) : filled(line)));
    if (rules.length > MAX_RULES) return [];
  }
  return rules;
}

/** The numbers of coordinates after each command of a path of PDF.js: move, line, curve, quadratic curve, close. */
const COORDINATES = [2, 2, 6, 4, 0];

/** The points of each part of a path that consists of straight lines. */
function polylines(path: ArrayLike<number>, [a, b, c, d, e, f]: Matrix): Point[][] {
  const found: Point[][] = [];
  let line: Point[] = [];
  for (let at = 0; at < path.length;) {
    const command = path[at] as number;
    const count = COORDINATES[command];
    if (count === undefined) return [];
    const [x, y] = [path[at + count - 1] ?? 0, path[at + count] ?? 0];
    const point: Point = [a * x + c * y + e, b * x + d * y + f];
    if (command === 0) found.push((line = [point]));
    else if (command === 1) line.push(point);
    else if (command === 4 && line[0] !== undefined) line.push(line[0]);
    // A curve is no rule; what follows it begins anew.
    else found.push((line = [point]));
    at += 1 + count;
  }
  return found;
}

function stroked(line: readonly Point[]): Rule[] {
  return line.slice(1).flatMap((point, n) => ruleBetween(line[n] as Point, point));
}

/** A filled box is a line where it is thin; a wider one is a ground. */
function filled(line: readonly Point[]): Rule[] {
  const [xs, ys] = [line.map(([x]) => x), line.map(([, y]) => y)];
  const [left, right, bottom, top] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const [width, height] = [right - left, top - bottom];
  if (line.length < 4 || Math.min(width, height) > MAX_THICKNESS) return [];
  const middle: Point = [(left + right) / 2, (bottom + top) / 2];
  return height < width
    ? [{ isAcross: true, at: middle[1], from: left, to: right }]
    : [{ isAcross: false, at: middle[0], from: bottom, to: top }];
}

function ruleBetween([x1, y1]: Point, [x2, y2]: Point): Rule[] {
  const [width, height] = [Math.abs(x1 - x2), Math.abs(y1 - y2)];
  if (height <= SLACK && width > SLACK)
    return [{ isAcross: true, at: y1, from: Math.min(x1, x2), to: Math.max(x1, x2) }];
  if (width <= SLACK && height > SLACK)
    return [{ isAcross: false, at: x1, from: Math.min(y1, y2), to: Math.max(y1, y2) }];
  return [];
}
