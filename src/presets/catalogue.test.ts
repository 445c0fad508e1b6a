import { readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CERTAINTIES } from '../policy/models/model-facts.ts';
import { CURRENCIES, PRICED } from '../policy/models/price.ts';
import { CATALOGUE, type CatalogueFile, createCatalogue, KINDS } from './catalogue.ts';
import { presets } from './index.ts';
import type { Provider } from './preset.ts';

const FILES = readdirSync(CATALOGUE).map((name) => ({
  name,
  file: JSON.parse(readFileSync(new URL(name, CATALOGUE), 'utf8')) as CatalogueFile,
}));

const FIELDS = new Set(['id', 'context', 'output', 'in', 'out', 'tools', 'structured', 'reasoning', 'price', 'asOf', 'known']);
const DAY = /^20\d\d-\d\d-\d\d$/;
const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

describe('the catalogue that ships', () => {
  it('is small', () => {
    const bytes = FILES.reduce((sum, { name }) => sum + statSync(new URL(name, CATALOGUE)).size, 0);
    expect(bytes).toBeLessThan(300_000);
  });

  const MAIN = `openai anthropic gemini azure-openai vertex bedrock openrouter deepseek moonshot zai dashscope minimax volcengine siliconflow
    hunyuan qianfan stepfun xai mistral groq cerebras together fireworks deepinfra perplexity cohere`;
  it.each(MAIN.split(/\s+/))('has prices of %s', (preset) => {
    const found = FILES.find(({ file }) => file.preset === preset);
    expect(found?.file.lists.some(({ models }) => models.some(({ price }) => price?.input !== undefined))).toBe(true);
  });

  it.each(FILES)('$name: presets, regions, pages and days', ({ name, file }) => {
    const preset = presets.get(file.preset);
    expect(name).toBe(`${preset?.id}.json`);
    if (file.like !== undefined) expect(presets.has(file.like)).toBe(true);
    const seen = new Set<string>();
    for (const { regions = ['any'], currency, source, asOf, known } of file.lists) {
      expect(CURRENCIES).toContain(currency);
      expect(new URL(source).protocol).toBe('https:');
      expect(asOf).toMatch(DAY);
      expect(CERTAINTIES).toContain(known);
      for (const region of regions) {
        expect(seen).not.toContain(region);
        seen.add(region);
        if (region !== '' && region !== 'any') expect(Object.keys(preset?.regions ?? {})).toContain(region);
      }
    }
  });

  it.each(['routing.md', 'routing.zh-CN.md'])('says in %s how many of its prices are known how well', (name) => {
    const text = readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
    const priced = FILES.flatMap(({ file }) => file.lists).flatMap(({ known, models }) =>
      models.filter(({ price }) => price).map((row) => row.known ?? known),
    );
    for (const one of CERTAINTIES) expect(text).toMatch(new RegExp(`\`${one}\` *\\| ${priced.filter((known) => known === one).length} `));
  });

  it.each(FILES)('$name: rows', ({ file }) => {
    for (const { models } of file.lists) {
      expect(new Set(models.map(({ id }) => id.toLowerCase())).size).toBe(models.length);
      for (const row of models) {
        const { id, context, output, in: takes = [], out: makes = [], price, asOf, known = 'table' } = row;
        expect(
          Object.keys(row).filter((field) => !FIELDS.has(field)),
          id,
        ).toEqual([]);
        for (const count of [context, output]) if (count !== undefined) expect(isWhole(count) && count > 0, id).toBe(true);
        for (const kind of [...takes, ...makes]) expect(KINDS, id).toContain(kind);
        if (asOf !== undefined) expect(asOf).toMatch(DAY);
        expect(CERTAINTIES, id).toContain(known);
        const { long, imageTokens, ...amounts } = price ?? {};
        // It says how dear an image is, so that tokens of images must have a price.
        if (imageTokens !== undefined)
          expect(isWhole(imageTokens) && imageTokens > 0 && (amounts.imageOutput ?? amounts.output) !== undefined, id).toBe(true);
        for (const [of, amount] of Object.entries(amounts))
          expect(PRICED.some((one) => one === of) && isWhole(amount), `${id} ${of}`).toBe(true);
        if (long)
          expect(
            Object.entries(long).every(([of, amount]) => (of === 'above' || PRICED.some((one) => one === of)) && isWhole(amount)),
            id,
          ).toBe(true);
        // A question costs at most as much as an answer, and a cached one at most as much as a new one.
        if (amounts.cacheRead !== undefined) expect(amounts.cacheRead, id).toBeLessThanOrEqual(amounts.input ?? 0);
      }
    }
  });
});

const ask = (preset: string, model: string, region?: string) =>
  createCatalogue().said(
    { preset: presets.get(preset), settings: { preset, ...(region === undefined ? {} : { region }) } } as Provider,
    model,
  );

const FOUND: readonly { readonly name: string; readonly asked: readonly [string, string, string?]; readonly says: object }[] = [
  { name: 'as it is', asked: ['openai', 'gpt-5-mini'], says: { context: 400_000, price: { currency: 'USD', input: 250_000_000 } } },
  { name: 'with a date', asked: ['openai', 'gpt-5-mini-2025-08-07'], says: { price: { output: 2_000_000_000 } } },
  { name: 'the newest', asked: ['anthropic', 'claude-opus-4-5-latest'], says: { price: { cacheWrite: 6_250_000_000 } } },
  { name: 'in capital letters', asked: ['zai', 'GLM-5.3'], says: { price: { currency: 'USD' } } },
  {
    name: 'where a cloud runs it',
    asked: ['bedrock', 'us.anthropic.claude-sonnet-4-6-20260217-v1:0'],
    says: { price: { input: 3_300_000_000 } },
  },
  { name: 'anywhere at a cloud', asked: ['bedrock', 'global.anthropic.claude-sonnet-4-6'], says: { price: { input: 3_000_000_000 } } },
  { name: 'in a cloud that has no row of it', asked: ['vertex', 'gemini-3.5-flash'], says: { video: true, price: { currency: 'USD' } } },
  { name: 'in another country', asked: ['zai', 'glm-5.3', 'cn'], says: { price: { currency: 'CNY' } } },
  { name: 'six digits of a date', asked: ['volcengine', 'doubao-seed-1-8-251215'], says: { vision: true, price: { currency: 'CNY' } } },
  { name: 'a pattern', asked: ['deepgram', 'aura-2-thalia-en'], says: { audioOutput: true } },
  { name: 'what makes images', asked: ['gemini', 'gemini-2.5-flash-image'], says: { imageOutput: true, audioOutput: false } },
  { name: 'read on the page', asked: ['deepseek', 'deepseek-flash'], says: { known: 'page', price: { input: 300_000_000 } } },
  { name: 'by a table', asked: ['openai', 'gpt-5-mini'], says: { known: 'table' } },
  { name: 'by nobody else', asked: ['zai', 'glm-4.6'], says: { known: 'unverified' } },
  { name: 'and what does not', asked: ['gemini', 'gemini-2.5-flash'], says: { imageOutput: false } },
];

describe('a model is found', () => {
  it.each(FOUND)('$name: $asked', ({ asked, says }) => {
    expect(ask(...asked)).toMatchObject(says);
  });

  it('without the price, where that is another country’s', () => {
    const said = ask('minimax', 'MiniMax-M3', 'cn');
    expect(said?.known).toBeUndefined();
    expect(said).toMatchObject({ vision: true });
    expect(said?.price).toBeUndefined();
  });

  it('with where that stands', () => {
    expect(ask('deepgram', 'nova-3')?.where).toBe('https://deepgram.com/pricing, 2026-05-04');
  });

  it('or is not known', () => {
    expect(ask('openai', 'gpt-5-mini-of-ours')).toBeUndefined();
    expect(ask('ollama', 'llama3')).toBeUndefined();
  });
});
