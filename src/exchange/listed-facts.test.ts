import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../ir/index.ts';
import { listedFacts } from './listed-facts.ts';

const CASES: readonly { readonly name: string; readonly entry: JsonObject; readonly says: object }[] = [
  { name: 'nothing but an id', entry: { id: 'm', object: 'model' }, says: {} },
  {
    name: 'prices by the token, as text',
    entry: {
      id: 'a/m',
      context_length: 1_050_000,
      architecture: { input_modalities: ['text', 'image'], output_modalities: ['text'] },
      pricing: { prompt: '0.0000025', completion: '0.000015', input_cache_read: '0.00000025', request: '0', image: '0.001' },
      top_provider: { max_completion_tokens: 128_000 },
      supported_parameters: ['tools', 'reasoning'],
    },
    says: {
      context: 1_050_000,
      output: 128_000,
      vision: true,
      audio: false,
      video: false,
      imageOutput: false,
      audioOutput: false,
      tools: true,
      structured: false,
      reasoning: true,
      price: { currency: 'USD', input: 2_500_000_000, output: 15_000_000_000, cacheRead: 250_000_000, request: 0 },
    },
  },
  {
    name: 'prices by the million tokens, as numbers',
    entry: { id: 'm', context_length: 131_072, pricing: { hourly: 0, input: 0.88, output: 0.88 } },
    says: { context: 131_072, price: { currency: 'USD', input: 880_000_000, output: 880_000_000 } },
  },
  {
    name: 'prices in its metadata',
    entry: { id: 'm', metadata: { context_length: 4096, pricing: { input_tokens: 0.05, output_tokens: 0.1 } } },
    says: { context: 4096, price: { currency: 'USD', input: 50_000_000, output: 100_000_000 } },
  },
  { name: 'a price that depends', entry: { id: 'auto', pricing: { prompt: '-1', completion: '-1' } }, says: {} },
  {
    name: 'a free one',
    entry: { id: 'm', pricing: { prompt: '0', completion: '0' } },
    says: { price: { currency: 'USD', input: 0, output: 0 } },
  },
  { name: 'a server of one’s own', entry: { id: 'm', max_model_len: 32_768 }, says: { context: 32_768 } },
  { name: 'a window', entry: { id: 'm', context_window: 131_072, max_completion_tokens: 8192 }, says: { context: 131_072, output: 8192 } },
  {
    name: 'limits',
    entry: { name: 'models/g', inputTokenLimit: 1_048_576, outputTokenLimit: 65_536 },
    says: { context: 1_048_576, output: 65_536 },
  },
  {
    name: 'abilities as flags',
    entry: { id: 'm', capabilities: { function_calling: false, vision: true } },
    says: { tools: false, vision: true },
  },
  {
    name: 'what is not as it should be',
    entry: {
      id: 'm',
      context_length: -5,
      pricing: 'free',
      architecture: [],
      supported_parameters: 'tools',
      capabilities: { vision: 'yes' },
    },
    says: {},
  },
  { name: 'more than anything costs', entry: { id: 'm', pricing: { prompt: '9e99' } }, says: {} },
];

describe('what a provider’s list says of a model', () => {
  it.each(CASES)('$name', ({ entry, says }) => expect(listedFacts(entry)).toEqual(says));
});
