import { describe, expect, it } from 'vitest';
import { distinctNumbers } from '../format';
import { jsonOf, parseModel } from '../tags';

describe('tags that hold JSON', () => {
  it('are read as objects, whatever stands there', () => {
    expect(jsonOf('{"a": 1}')).toEqual({ a: 1 });
    for (const text of ['', '{', '[1]', '3', 'null', '"x"']) {
      expect(jsonOf(text)).toEqual({});
    }
  });

  it('tell the model of a run', () => {
    const tag = '{"artifact_path": "m/best", "class": "sklearn.tree._classes.Tree"}';
    expect(parseModel(tag)).toEqual({ path: 'm/best', kind: 'Tree' });
    expect(parseModel('model')).toEqual({ path: 'model', kind: '' });
    expect(parseModel('')).toBeNull();
  });
});

describe('labels of ticks', () => {
  it('are as long as it takes to tell them apart', () => {
    expect(distinctNumbers([0.1, 0.2])).toEqual(['0.1', '0.2']);
    expect(distinctNumbers([0.95998, 0.95999])).toEqual(['0.95998', '0.95999']);
    expect(distinctNumbers([1, 1])).toEqual(['1', '1']);
  });
});
