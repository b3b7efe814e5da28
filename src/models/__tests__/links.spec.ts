import { describe, expect, it } from 'vitest';
import { linked } from '../links';

describe("links of MLflow's clients", () => {
  const id = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
  it.each([
    [`#/experiments/1/runs/${id}`, { kind: 'run', id }],
    [`#/experiments/1/runs/${id}/artifacts`, { kind: 'run', id }],
    ['#/experiments/12', { kind: 'experiment', id: '12' }],
    ['#/experiments/12?searchFilter=x', { kind: 'experiment', id: '12' }],
    ['#/experiments/12/models/m-5', { kind: 'experiment', id: '12' }],
    ['#/models/iris-tree/versions/1', { kind: 'models', id: '' }],
    ['#/models', { kind: 'models', id: '' }]
  ])('%s leads there', (hash, target) => {
    expect(linked(hash)).toEqual(target);
  });
  it.each([
    '',
    '#',
    '#/',
    '#heading',
    '#/modelsx',
    '#/experiments/',
    '#/experiments/x/y'
  ])('%s is none of them', hash => {
    expect(linked(hash)).toBeNull();
  });
});
