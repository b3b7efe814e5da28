/** Draws the lines: faint ones below, then the selected, in chunks so that typing goes on. */
import { faintAlpha, lineAlpha, viridis } from '../../models/parcoords/color';
import type { Layout } from '../../models/parcoords/layout';
import { colorAt, type CompareState } from '../../models/parcoords/state';
import type { Palette } from '../theme';

/** Lines per frame: about 8 ms on a small machine. */
const CHUNK = 1200;
/** As many tones as the eye tells apart. */
const TONES = 48;

/** What a painting is made of. */
export interface Scene {
  readonly state: CompareState;
  readonly layout: Layout;
  readonly palette: Palette;
}

/** Give a canvas its size in device pixels; null where nothing can be drawn. */
export function prepareCanvas(
  canvas: HTMLCanvasElement,
  layout: Layout
): CanvasRenderingContext2D | null {
  const ratio = globalThis.devicePixelRatio || 1;
  canvas.width = Math.round(layout.width * ratio);
  canvas.height = Math.round(layout.height * ratio);
  canvas.style.width = `${layout.width}px`;
  canvas.style.height = `${layout.height}px`;
  const context = canvas.getContext('2d');
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

function trace(context: CanvasRenderingContext2D, layout: Layout, row: number): void {
  context.beginPath();
  if (layout.xs.length === 1) {
    const [x, y] = [layout.xs[0], layout.ys[0][row]];
    context.moveTo(x - 14, y);
    context.lineTo(x + 14, y);
  }
  layout.xs.forEach((x, axis) => {
    const y = layout.ys[axis][row];
    if (axis === 0) {
      context.moveTo(x, y);
    } else {
      context.lineTo(x, y);
    }
  });
  context.stroke();
}

/** The colour of a run. */
export function rowColor(scene: Scene, row: number): string {
  const at = colorAt(scene.state, row);
  if (!scene.state.color) {
    return viridis(0.45, scene.palette.dark);
  }
  return Number.isNaN(at)
    ? scene.palette.quiet
    : viridis(Math.round(at * TONES) / TONES, scene.palette.dark);
}

/** Paints one canvas; a new painting stops the one under way. */
export class Painter {
  private _frame = 0;

  constructor(private readonly _canvas: HTMLCanvasElement) {}

  /** Draw every line of a scene. */
  paint(scene: Scene): void {
    this.stop();
    const context = prepareCanvas(this._canvas, scene.layout);
    if (!context || scene.layout.xs.length === 0) {
      return;
    }
    const { mask } = scene.state;
    const rows = Array.from(mask.keys());
    const queue = [...rows.filter(r => !mask[r]), ...rows.filter(r => mask[r])];
    const alpha = lineAlpha(scene.state.selected);
    const faint = faintAlpha(mask.length - scene.state.selected);
    let at = 0;
    const step = (): void => {
      const end = Math.min(queue.length, at + CHUNK);
      for (; at < end; at++) {
        const row = queue[at];
        context.globalAlpha = mask[row] ? alpha : faint;
        context.lineWidth = mask[row] ? 1.4 : 0.8;
        context.strokeStyle = mask[row] ? rowColor(scene, row) : scene.palette.quiet;
        trace(context, scene.layout, row);
      }
      if (at < queue.length) {
        this._frame = requestAnimationFrame(step);
      }
    };
    step();
  }

  /** Draw only some lines, strongly: those pointed at or picked. */
  emphasise(scene: Scene, rows: readonly number[]): void {
    const context = prepareCanvas(this._canvas, scene.layout);
    if (!context) {
      return;
    }
    context.lineJoin = 'round';
    for (const row of rows) {
      context.strokeStyle = scene.palette.background;
      context.lineWidth = 6;
      trace(context, scene.layout, row);
      context.strokeStyle = rowColor(scene, row);
      context.lineWidth = 3;
      trace(context, scene.layout, row);
      context.fillStyle = scene.palette.text;
      scene.layout.xs.forEach((x, axis) => {
        context.beginPath();
        context.arc(x, scene.layout.ys[axis][row], 2.6, 0, Math.PI * 2);
        context.fill();
      });
    }
  }

  /** Stop drawing. */
  stop(): void {
    cancelAnimationFrame(this._frame);
  }
}
