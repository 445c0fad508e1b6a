import { describe, expect, it } from 'vitest';
import { type Shape, shapeProblems } from './shape.ts';

describe('shapeProblems', () => {
  it.each<[name: string, value: unknown, shape: Shape, problems: readonly string[]]>([
    ['fits', { a: 'x', b: [{ c: 1 }], more: true }, { a: 'text', b: [{ c: 'integer' }] }, []],
    ['a member is missing', { a: 'x' }, { a: 'text', b: 'text' }, ['body.b is missing']],
    ['a type is wrong deep inside', { b: [{ c: 1 }, { c: 'x' }] }, { b: [{ c: 'integer' }] }, ['body.b[1].c is "x", not integer']],
    ['an empty list', { b: [] }, { b: ['text'] }, ['body.b is [], not a list of something']],
    ['an empty text', { a: '' }, { a: 'text' }, ['body.a is "", not text']],
    ['one of several types', [null, 'x'], ['null|string'], []],
    ['a certain value', { a: 'y' }, { a: '=x' }, ['body.a is "y", not =x']],
    ['a list is no object', [], { a: 'text' }, ['body is [], not an object']],
  ])('%s', (_name, value, shape, problems) => expect(shapeProblems(value, shape)).toEqual(problems));
});
