/** Following a pointer from press to release, also outside of the node. */

/** Call `move` for each movement and `end` once. */
export function follow(
  node: HTMLElement | SVGElement,
  event: PointerEvent,
  on: { move(e: PointerEvent): void; end(e: PointerEvent): void }
): void {
  node.setPointerCapture?.(event.pointerId);
  const move = (e: Event): void => on.move(e as PointerEvent);
  const end = (e: Event): void => {
    node.removeEventListener('pointermove', move);
    node.removeEventListener('pointerup', end);
    node.removeEventListener('pointercancel', end);
    on.end(e as PointerEvent);
  };
  node.addEventListener('pointermove', move);
  node.addEventListener('pointerup', end);
  node.addEventListener('pointercancel', end);
}
