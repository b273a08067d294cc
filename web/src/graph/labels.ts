import type { Picture, PlacedNode } from './layout.ts';
import type { Size } from './view.ts';

export interface Label {
  id: string;
  text: string;
  /** The middle of the text at its baseline, in CSS pixels; the origin is that of the layout. */
  x: number;
  y: number;
}

const LABEL_CHARS = 28;
/** Of the font of the labels, in CSS pixels. The width of a character is a mean, and a little more. */
const LINE = 14;
const CHARACTER = 6.2;
const GAP = 3;
/** The free place around a label that makes it readable among others. */
const PADDING = 4;
/** So many labels may hide nodes, where a dense graph leaves no free place. */
const MOST_OVER_NODES = 24;
/** The side of the squares by which overlapping labels are looked up. */
const CELL = 64;

interface Rectangle {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/**
 * The labels that fit at a zoom without overlapping each other. Those of `first` come first, then those of nodes with more
 * neighbours. A few may overlap nodes; the others are left out where there is no free place.
 * @param zoom CSS pixels for one unit of the layout
 * @param size the factor of the radius of the nodes
 * @param frame what is seen of the picture at once, in CSS pixels
 */
export function labelsFor(
  nodes: readonly PlacedNode[],
  picture: Picture,
  { zoom, size, frame, first }: { zoom: number; size: number; frame: Size; first: readonly string[] },
): Label[] {
  const rank = new Map(first.map((id, index) => [id, index]));
  const rankOf = ({ id }: PlacedNode) => rank.get(id) ?? Infinity;
  const ordered = [...nodes].sort(
    (a, b) =>
      compare(rankOf(a), rankOf(b)) ||
      Number(b.kind === 'document') - Number(a.kind === 'document') ||
      b.degree - a.degree,
  );
  const bounds = boundsOf(picture, zoom, frame);
  const circles = new Occupied(0);
  for (const { x, y, radius } of picture.nodes) {
    const half = radius * size * zoom;
    circles.add({ left: x * zoom - half, right: x * zoom + half, top: y * zoom - half, bottom: y * zoom + half });
  }
  const taken = new Occupied(PADDING);
  const labels: Label[] = [];
  let overNodes = 0;
  for (const node of ordered) {
    const text = short(node.label);
    const free = placesOf(node, text, zoom, size).filter((place) => isWithin(place, bounds) && taken.isFree(place));
    const clear = free.find((candidate) => circles.isFree(candidate));
    const place = clear ?? (overNodes < MOST_OVER_NODES ? free[0] : undefined);
    if (place === undefined) continue;
    if (clear === undefined) overNodes += 1;
    taken.add(place);
    labels.push({ id: node.id, text, x: (place.left + place.right) / 2, y: place.bottom - GAP });
  }
  return labels;
}

/** All of the picture; in the middle of the frame, where the picture is smaller. */
function boundsOf({ box: [left, top, width, height] }: Picture, zoom: number, frame: Size): Rectangle {
  const half = { x: Math.max(frame.width, width * zoom) / 2, y: Math.max(frame.height, height * zoom) / 2 };
  const middle = { x: (left + width / 2) * zoom, y: (top + height / 2) * zoom };
  return { left: middle.x - half.x, right: middle.x + half.x, top: middle.y - half.y, bottom: middle.y + half.y };
}

const isWithin = (inner: Rectangle, outer: Rectangle) =>
  inner.left >= outer.left && inner.right <= outer.right && inner.top >= outer.top && inner.bottom <= outer.bottom;

const compare = (a: number, b: number) => (a === b ? 0 : a < b ? -1 : 1);

/** Above the node, below it, or beside it. */
function placesOf({ x, y, radius }: PlacedNode, text: string, zoom: number, size: number): Rectangle[] {
  const width = text.length * CHARACTER;
  const distance = radius * size * zoom + GAP;
  const at = (middle: number, bottom: number): Rectangle => ({
    left: x * zoom + middle - width / 2,
    right: x * zoom + middle + width / 2,
    top: y * zoom + bottom - LINE,
    bottom: y * zoom + bottom,
  });
  return [
    at(0, -distance),
    at(0, distance + LINE),
    at(distance + width / 2, LINE / 2),
    at(-distance - width / 2, LINE / 2),
  ];
}

/** Rectangles that are taken, by squares of the plane. */
class Occupied {
  private readonly cells = new Map<string, Rectangle[]>();

  /** @param padding the free place around each */
  constructor(private readonly padding: number) {}

  isFree(wanted: Rectangle): boolean {
    const grown = {
      left: wanted.left - this.padding,
      right: wanted.right + this.padding,
      top: wanted.top - this.padding,
      bottom: wanted.bottom + this.padding,
    };
    return cellsOf(grown).every((cell) => !(this.cells.get(cell) ?? []).some((taken) => overlap(taken, grown)));
  }

  add(taken: Rectangle): void {
    for (const cell of cellsOf(taken)) {
      const inCell = this.cells.get(cell);
      if (inCell === undefined) this.cells.set(cell, [taken]);
      else inCell.push(taken);
    }
  }
}

function cellsOf({ left, top, right, bottom }: Rectangle): string[] {
  const cells: string[] = [];
  for (let column = Math.floor(left / CELL); column <= right / CELL; column += 1) {
    for (let row = Math.floor(top / CELL); row <= bottom / CELL; row += 1) cells.push(`${column} ${row}`);
  }
  return cells;
}

const overlap = (a: Rectangle, b: Rectangle) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** A path by its end, anything else by its beginning. */
function short(label: string): string {
  const name = label.slice(label.lastIndexOf('/') + 1) || label;
  return name.length <= LABEL_CHARS ? name : `${name.slice(0, LABEL_CHARS - 1)}…`;
}
