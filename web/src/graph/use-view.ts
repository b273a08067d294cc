import { type PointerEvent, type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Picture, PlacedNode } from './layout.ts';
import { fitted, nodeAt, nodeSize, type Size, type View, withInSight, zoomed } from './view.ts';

/** A pointer that moves less, in CSS pixels, presses what it is on. */
const STILL = 4;
const WHEEL_STEP = 1.15;

interface Point {
  x: number;
  y: number;
}

/**
 * The part of the picture that is seen, changed by wheel, drag and pinch. A drag moves the drawing without rendering it again.
 * @param moved the element that is moved as a whole
 */
export function useView(
  picture: Picture,
  frame: RefObject<SVGSVGElement | null>,
  moved: RefObject<SVGGElement | null>,
  onPress: (node: PlacedNode | undefined) => void,
) {
  const [size, setSize] = useState<Size>({ width: 640, height: 480 });
  const whole = fitted(picture, size);
  const sizeOfNodes = nodeSize(whole);
  const [zoom, setZoom] = useState(whole.zoom);
  const view = useRef<View>(whole);
  /** The whole stays the whole when the place changes its size, until a person moves it. */
  const isWhole = useRef(true);
  const pointers = useRef(new Map<number, Point>());
  const pressed = useRef<Point>(undefined);

  const show = (next: View) => {
    view.current = next;
    moved.current?.setAttribute('transform', `translate(${next.x} ${next.y})`);
    setZoom(next.zoom);
  };
  const change = (next: View) => {
    isWhole.current = false;
    show(next);
  };
  const zoomBy = (factor: number, x = size.width / 2, y = size.height / 2) =>
    change(zoomed(view.current, factor, x, y, whole));

  useLayoutEffect(() => {
    const svg = frame.current;
    if (svg === null) return;
    const resized = new ResizeObserver(() => setSize({ width: svg.clientWidth, height: svg.clientHeight }));
    resized.observe(svg);
    return () => resized.disconnect();
  }, [frame]);
  useLayoutEffect(() => {
    if (isWhole.current) show(fitted(picture, size));
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `show` sets refs and a state alone
  }, [picture, size]);
  useEffect(() => {
    const svg = frame.current;
    // React's listeners for a wheel cannot keep the page from scrolling.
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const { left, top } = (event.currentTarget as Element).getBoundingClientRect();
      zoomBy(event.deltaY < 0 ? WHEEL_STEP : 1 / WHEEL_STEP, event.clientX - left, event.clientY - top);
    };
    svg?.addEventListener('wheel', onWheel, { passive: false });
    return () => svg?.removeEventListener('wheel', onWheel);
  });

  const placeOf = ({ clientX, clientY, currentTarget }: PointerEvent): Point => {
    const { left, top } = currentTarget.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  };
  const onPointerDown = (event: PointerEvent) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    const at = placeOf(event);
    pressed.current = pointers.current.size === 0 ? at : undefined;
    pointers.current.set(event.pointerId, at);
  };
  const onPointerMove = (event: PointerEvent) => {
    const before = pointers.current.get(event.pointerId);
    if (before === undefined) return;
    const at = placeOf(event);
    const start = pressed.current;
    if (start !== undefined && Math.hypot(at.x - start.x, at.y - start.y) < STILL) return;
    pressed.current = undefined;
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    const { current } = view;
    if (other === undefined) change({ ...current, x: current.x + at.x - before.x, y: current.y + at.y - before.y });
    else {
      const apart = (point: Point) => Math.max(1, Math.hypot(point.x - other.x, point.y - other.y));
      zoomBy(apart(at) / apart(before), other.x, other.y);
    }
    pointers.current.set(event.pointerId, at);
  };
  const onPointerUp = (event: PointerEvent) => {
    const at = pressed.current;
    if (pointers.current.delete(event.pointerId) && at !== undefined) {
      onPress(nodeAt(picture.nodes, view.current, sizeOfNodes, at.x, at.y));
    }
    pressed.current = undefined;
  };
  const onPointerCancel = ({ pointerId }: PointerEvent) => {
    pointers.current.delete(pointerId);
    pressed.current = undefined;
  };

  return {
    zoom,
    frame: size,
    /** The factor of the radius of the nodes. */
    size: sizeOfNodes,
    zoomBy,
    showWhole: () => {
      isWhole.current = true;
      show(whole);
    },
    bringIntoSight: (point: Point) => {
      if (isWhole.current) return;
      const next = withInSight(view.current, point, size);
      if (next.x !== view.current.x || next.y !== view.current.y) change(next);
    },
    handlers: { onPointerDown, onPointerMove, onPointerUp, onPointerCancel },
  };
}
