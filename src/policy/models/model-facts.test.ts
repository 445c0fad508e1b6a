import { describe, expect, it } from 'vitest';
import type { Provider } from '../../presets/preset.ts';
import { createFacts, type Said } from './model-facts.ts';

const provider = (settings: object, wire: object = {}): Provider =>
  ({
    name: 'p',
    preset: { id: 'p' },
    settings,
    wires: new Map([
      [
        'openai-chat',
        {
          factsOf: () => ({
            media: { image: 'bytes', document: 'bytes', audio: 'none', video: 'none' },
            output: 'json-schema',
            reasoningControl: 'effort',
            ...wire,
          }),
        },
      ],
    ]),
  }) as unknown as Provider;

const CATALOGUE: Said = { context: 100, vision: false, audio: true, price: { currency: 'USD', input: 1 }, where: 'a page' };

describe('facts, in rising order', () => {
  it('preset, catalogue, list, operator', () => {
    const one = provider({ abilities: { '*': { tools: false, context: 300 } }, models: { 'm*': { context: 400 } } });
    const list = new Map([['m', { context: 200, price: { currency: 'USD', input: 2 } } as const]]);
    const facts = createFacts({ catalogue: () => CATALOGUE, listOf: () => list });
    const { abilities, ...rest } = facts.of(one, 'openai-chat', 'm');
    expect(rest).toEqual({
      context: { value: 400, from: 'operator' },
      price: { value: { currency: 'USD', input: 2 }, from: 'list' },
    });
    expect(abilities.vision).toEqual({ value: false, from: 'catalogue', where: 'a page' });
    expect(abilities.files).toEqual({ value: true, from: 'preset' });
    expect(abilities.tools).toEqual({ value: false, from: 'operator' });
    expect(facts.lists(one, 'm')).toBe(true);
    expect(facts.lists(one, 'other')).toBe(false);
  });

  it.each([
    ['an id that is there', 'claude-x-4-20250929', false],
    ['the same without its date', 'claude-x-4', false],
    ['the same, the newest', 'claude-x-4-latest', false],
    ['one of a cloud’s area', 'eu.house.big-1', false],
    ['another model', 'claude-x-5', true],
  ])('a list has or lacks %s', (_, model, lacks) => {
    const list = new Map([
      ['claude-x-4-20250929', {}],
      ['us.house.big-1', {}],
    ]);
    expect(createFacts({ listOf: () => list }).lacks(provider({}), model)).toBe(lacks);
    expect(createFacts().lacks(provider({}), model)).toBe(false);
  });

  it('with how well a price is known, and only a price', () => {
    const facts = createFacts({ catalogue: () => ({ ...CATALOGUE, known: 'table' }) });
    const { price, context } = facts.of(provider({}), 'openai-chat', 'm');
    expect(price).toEqual({ value: { currency: 'USD', input: 1 }, from: 'catalogue', where: 'a page', known: 'table' });
    expect(context).toEqual({ value: 100, from: 'catalogue', where: 'a page' });
    const own = provider({ models: { '*': { price: { currency: 'USD', input: 2 } } } });
    expect(facts.of(own, 'openai-chat', 'm').price).toEqual({ value: { currency: 'USD', input: 2 }, from: 'operator' });
  });

  it('what a wire cannot carry, no model behind it does, unless the operator says so', () => {
    const facts = createFacts({ catalogue: () => CATALOGUE });
    expect(facts.of(provider({}), 'openai-chat', 'm').abilities.audio).toEqual({ value: false, from: 'preset' });
    expect(facts.of(provider({ models: { '*': { audio: true } } }), 'openai-chat', 'm').abilities.audio?.value).toBe(true);
  });

  it('a server of one’s own costs nothing, unless the operator says what', () => {
    const local = { ...provider({}), preset: { id: 'p', local: { port: 1, probe: '/' } } } as unknown as Provider;
    expect(createFacts().of(local, undefined, 'm').price).toEqual({ value: { currency: 'USD', input: 0, output: 0 }, from: 'preset' });
  });

  it('is bounded, whatever names come', () => {
    let asked = 0;
    const one = provider({});
    const facts = createFacts({
      catalogue: () => {
        asked++;
        return undefined;
      },
    });
    for (let i = 0; i < 1500; i++) facts.of(one, 'openai-chat', `${i}`);
    for (let i = 0; i < 100; i++) facts.of(one, 'openai-chat', '1499');
    expect(asked).toBe(1500);
  });
});
