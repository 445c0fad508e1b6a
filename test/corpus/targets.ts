import { DEFAULT_FACTS, type FactChanges, type ProtocolId, type TargetFacts } from '../../src/ir/index.ts';
import { compileProvider } from '../../src/presets/provider.ts';
import { codecFacts } from '../../src/protocols/index.ts';
import { type Codec, codecOf, MAKER, PROTOCOLS } from './replay.ts';

/** Somebody to send a request to. */
export interface Target {
  readonly name: string;
  readonly codec: Codec;
  readonly facts: TargetFacts;
  /** Who opens seals there. */
  readonly maker: string;
}

/** What a dialect's vendor takes beyond the codec's own facts. */
const USUAL: { readonly [P in ProtocolId]?: FactChanges } = {
  // What it takes by its address only as bytes is fetched before (`exchange/inline-media`).
  'openai-chat': { hostedTools: ['web-search'], developerRole: true, media: { ...DEFAULT_FACTS.media, document: 'url-and-bytes' } },
  'openai-responses': { hostedTools: ['web-search', 'code-execution', 'image-generation', 'file-search', 'mcp'], developerRole: true },
  'anthropic-messages': { hostedTools: ['web-search', 'web-fetch', 'code-execution'] },
  gemini: { hostedTools: ['web-search', 'web-fetch', 'code-execution'] },
};

const plain = (codec: Codec): Target => ({
  name: codec.id,
  codec,
  facts: { ...DEFAULT_FACTS, ...codec.facts, ...USUAL[codec.id] },
  maker: MAKER,
});

/** Every dialect as such: the maker of what was recorded. */
export const PLAIN: readonly Target[] = PROTOCOLS.map(codecOf).map(plain);

/** Models that differ most in what they take. */
const MODELS: readonly (readonly [string, ProtocolId, string])[] = [
  ['openai', 'openai-chat', 'gpt-4o'],
  ['openai', 'openai-chat', 'gpt-5.1'],
  ['openai', 'openai-responses', 'gpt-5.4'],
  ['anthropic', 'anthropic-messages', 'claude-opus-4-8'],
  ['anthropic', 'anthropic-messages', 'claude-haiku-4-5'],
  ['gemini', 'gemini', 'gemini-3-pro-preview'],
  ['gemini', 'gemini', 'gemini-2.5-flash'],
  ['deepseek', 'openai-chat', 'deepseek-reasoner'],
  ['mistral', 'openai-chat', 'mistral-large-latest'],
  ['moonshot', 'openai-chat', 'kimi-k2-thinking'],
  ['groq', 'openai-chat', 'openai/gpt-oss-120b'],
];

function modelOf([preset, protocol, model]: (typeof MODELS)[number]): Target {
  const provider = compileProvider(preset, { preset, key: 'x' }, codecFacts);
  const codec = codecOf(protocol);
  const facts = provider.wires.get(protocol)?.factsOf(model);
  if (!facts) throw new Error(`${preset} does not speak ${protocol}`);
  return { name: model, codec, facts, maker: provider.maker };
}

/** Models of vendors, with what their presets say of them. */
export const VENDORS: readonly Target[] = MODELS.map(modelOf);
