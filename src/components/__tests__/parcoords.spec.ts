// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { column, wire } from '../../models/__tests__/helpers';
import { parseSpec, specToJson, type CompareSpec } from '../../models/parcoords/spec';
import { ENGLISH } from '../../models/strings';
import { EMPTY_TABLE, fromWire } from '../../models/table';
import { ParallelCoordinates } from '../parcoords/parcoords';

const table = fromWire(
  wire(
    ['a', 'b', 'c'],
    [
      column('param', 'depth', ['2', '10', null]),
      column('param', 'crit', ['gini', 'entropy', '<img src=x onerror=alert(1)>']),
      column('metric', 'acc', [0.5, 0.9, 0.7])
    ]
  )
);

const frame = () => new Promise(resolve => setTimeout(resolve, 40));

describe('parallel coordinates', () => {
  let plot: ParallelCoordinates;
  const spec = vi.fn<(s: CompareSpec) => void>();
  const selected = vi.fn<(ids: string[]) => void>();
  const all = <T extends Element>(testId: string) => [
    ...document.querySelectorAll<T>(`[data-testid="${testId}"]`)
  ];
  const keys = () => all<SVGElement>('mltrack-axis').map(node => node.dataset.key);
  const press = (node: Element, key: string, more: KeyboardEventInit = {}) =>
    node.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, ...more }));

  beforeEach(async () => {
    vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(null);
    vi.spyOn(Element.prototype, 'clientWidth', 'get').mockReturnValue(800);
    vi.spyOn(Element.prototype, 'clientHeight', 'get').mockReturnValue(400);
    spec.mockClear();
    selected.mockClear();
    plot = new ParallelCoordinates({ spec, selected }, ENGLISH);
    document.body.append(plot.node);
    plot.setTable(table);
    await frame();
  });

  afterEach(() => {
    plot.dispose();
    vi.restoreAllMocks();
  });

  it('draws an axis for each column that varies', () => {
    expect(keys()).toEqual(['params.depth', 'params.crit', 'metrics.acc']);
    expect(all('mltrack-parcoords-canvas')).toHaveLength(1);
    expect(all('mltrack-parcoords-status')[0].textContent).toBe('3 runs');
  });

  it('shows names of runs as text, never as markup', () => {
    expect(document.querySelector('img')).toBeNull();
    expect(plot.node.textContent).toContain('<img src=x');
  });

  it('brushes by keyboard, says so, and clears', async () => {
    const [, , acc] = all<SVGElement>('mltrack-axis-brush');
    press(acc, 'ArrowUp');
    await frame();
    expect(spec).toHaveBeenCalledTimes(1);
    expect(specToJson(spec.mock.calls[0][0]).brushes).toEqual({
      'metrics.acc': [0.6, 0.8]
    });
    expect(selected).toHaveBeenLastCalledWith(['c']);
    expect(acc.getAttribute('aria-valuetext')).toBe('0.6 to 0.8; 1 of 3 runs');
    expect(all('mltrack-parcoords-status')[0].textContent).toBe('1 of 3 runs');
    press(acc, 'Escape');
    await frame();
    expect(selected).toHaveBeenLastCalledWith(['a', 'b', 'c']);
  });

  it('reorders by keyboard and keeps the focus', async () => {
    const [depth] = all<HTMLElement>('mltrack-axis-title');
    depth.focus();
    press(depth, 'ArrowRight', { altKey: true });
    await frame();
    expect(keys()).toEqual(['params.crit', 'params.depth', 'metrics.acc']);
    expect(document.activeElement).toBe(depth);
    const [crit] = all<SVGElement>('mltrack-axis-brush');
    crit.focus();
    press(crit, 'ArrowRight');
    expect((document.activeElement as SVGElement).dataset.key).toBe('params.depth');
  });

  it('selects the runs without a value by a click on their lane', async () => {
    document
      .querySelector('.mltrack-Pc-laneHit')
      ?.dispatchEvent(new MouseEvent('click'));
    await frame();
    expect(selected).toHaveBeenLastCalledWith(['c']);
  });

  it('switches the scale, the colour and the axes', async () => {
    all<HTMLButtonElement>('mltrack-axis-log')[0].click();
    expect(specToJson(spec.mock.calls[0][0]).log).toEqual({ 'params.depth': true });
    const [color] = all<HTMLSelectElement>('mltrack-color-select');
    expect(color.value).toBe('metrics.acc');
    color.value = 'params.depth';
    color.dispatchEvent(new Event('change'));
    expect(spec.mock.calls[1][0].color).toBe('params.depth');
    all<HTMLButtonElement>('mltrack-parcoords-reset')[0].click();
    await frame();
    expect(plot.state.spec).toEqual({ brushes: {}, log: {} });
  });

  it('takes a specification that was kept', async () => {
    plot.setSpec(
      parseSpec({ axes: ['metrics.acc'], brushes: { 'metrics.acc': [0.8, 1] } })
    );
    await frame();
    expect(keys()).toEqual(['metrics.acc']);
    expect(selected).toHaveBeenLastCalledWith(['b']);
    expect(spec).not.toHaveBeenCalled();
  });

  it('has something to say without runs', async () => {
    plot.setTable(EMPTY_TABLE);
    await frame();
    const note = plot.node.querySelector<HTMLElement>('.mltrack-Pc-empty');
    expect(note?.hidden).toBe(false);
  });
});
