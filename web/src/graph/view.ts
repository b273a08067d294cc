import type { Picture } from './layout.ts';

/** Which part of the layout is seen: a point of it is drawn at `zoom * point + (x, y)`, in CSS pixels. */
export interface View {
  zoom: number;
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

const MARGIN = 28;
/** A small graph is not blown up. */
const MOST_FITTED = 1.4;
const CLOSEST = 3;
/** Farther away than the whole there is nothing to see. */
const FARTHEST = 0.7;
const FULL_SIZE_ZOOM = 0.55;
/** In CSS pixels: a pointer within this distance of a node means the node. */
const REACH = 14;

/** The whole picture, in the middle. */
export function fitted({ box: [left, top, width, height] }: Picture, place: Size): View {
  const zoom = Math.min(
    MOST_FITTED,
    Math.max(20, place.width - 2 * MARGIN) / width,
    Math.max(20, place.height - 2 * MARGIN) / height,
  );
  return {
    zoom,
    x: place.width / 2 - zoom * (left + width / 2),
    y: place.height / 2 - zoom * (top + height / 2),
  };
}

/** At a smaller zoom nodes would be dots of a pixel, so they are drawn larger: the factor of their radius. */
export const nodeSize = (whole: View) => Math.max(1, FULL_SIZE_ZOOM / whole.zoom);

/** Zooms by a factor; the point that is drawn at (x, y) stays there. */
export function zoomed(view: View, factor: number, x: number, y: number, whole: View): View {
  const zoom = Math.min(Math.max(CLOSEST, whole.zoom), Math.max(whole.zoom * FARTHEST, view.zoom * factor));
  const change = zoom / view.zoom;
  return { zoom, x: x - (x - view.x) * change, y: y - (y - view.y) * change };
}

/** Moves the view as far as needed for a point of the layout to be well in sight. */
export function withInSight(view: View, point: { x: number; y: number }, { width, height }: Size): View {
  const clamp = (value: number, size: number) => Math.min(size - 3 * MARGIN, Math.max(3 * MARGIN, value));
  const at = { x: point.x * view.zoom + view.x, y: point.y * view.zoom + view.y };
  return { zoom: view.zoom, x: view.x + clamp(at.x, width) - at.x, y: view.y + clamp(at.y, height) - at.y };
}

/** The node at a place of the screen, or the nearest one around it. */
export function nodeAt<N extends { x: number; y: number; radius: number }>(
  nodes: readonly N[],
  view: View,
  size: number,
  x: number,
  y: number,
): N | undefined {
  let nearest: N | undefined;
  let least = Infinity;
  for (const node of nodes) {
    const distance =
      Math.hypot(node.x * view.zoom + view.x - x, node.y * view.zoom + view.y - y) - node.radius * size * view.zoom;
    if (distance >= Math.min(least, REACH)) continue;
    least = distance;
    nearest = node;
  }
  return nearest;
}
