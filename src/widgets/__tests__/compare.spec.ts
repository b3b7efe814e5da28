// @vitest-environment jsdom
import { describe, expect, it, vi } from 'vitest';
import { column, wire } from '../../models/__tests__/helpers';
import widget from '../compare';

class FakeModel {
  readonly handlers = new Map<string, () => void>();
  readonly saved = vi.fn();

  constructor(readonly traits: Record<string, unknown>) {}

  get(name: string): unknown {
    return this.traits[name];
  }

  set(name: string, value: unknown): void {
    this.traits[name] = value;
  }

  save_changes(): void {
    this.saved();
  }

  on(event: string, callback: () => void): void {
    this.handlers.set(event, callback);
  }

  off(event: string): void {
    this.handlers.delete(event);
  }
}

describe('the anywidget', () => {
  it('shares its state with the kernel, and lets go', async () => {
    const table = wire(['a', 'b'], [column('metric', 'acc', [0.5, 0.9])]);
    const model = new FakeModel({ table, spec: {}, selected: [] });
    const el = document.createElement('div');
    document.body.append(el);
    const dispose = widget.render({ model, el });
    expect(
      el.querySelector('[data-testid=mltrack-parcoords-status]')?.textContent
    ).toBe('2 runs');
    model.traits.spec = { color: '' };
    model.handlers.get('change:spec')?.();
    expect(el.querySelector('select')?.value).toBe('');
    el.querySelector<HTMLElement>('[data-testid=mltrack-parcoords-reset]')?.click();
    expect(model.saved).not.toHaveBeenCalled();
    await vi.waitFor(() => expect(model.saved).toHaveBeenCalledTimes(1));
    expect(model.traits.spec).toEqual({});
    dispose();
    expect(model.handlers.size).toBe(0);
    expect(el.children).toHaveLength(0);
  });
});
