import { describe, expect, it } from 'vitest';
import type { FactChanges, ProtocolId } from '../ir/index.ts';
import { compileProvider } from './provider.ts';

interface Row {
  readonly preset: string;
  readonly protocol: ProtocolId;
  readonly model: string;
  readonly facts: FactChanges;
}

const row =
  (preset: string, protocol: ProtocolId) =>
  (model: string, facts: FactChanges): Row => ({ preset, protocol, model, facts });

const openai = row('openai', 'openai-responses');
const chat = row('openai', 'openai-chat');
const claude = row('anthropic', 'anthropic-messages');
const gemini = row('gemini', 'gemini');

const NEW_EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'];

const ROWS: readonly Row[] = [
  // OpenAI: what reasons refuses sampling and stop sequences; efforts differ by generation.
  openai('gpt-4o', { sampling: true, reasoningControl: 'none', output: 'json-schema' }),
  openai('gpt-4.1-mini-2025-04-14', { sampling: true, reasoningControl: 'none' }),
  openai('gpt-4-turbo', { output: 'json-object', strictTools: false }),
  openai('gpt-4', { output: 'none' }),
  openai('gpt-3.5-turbo-0125', { output: 'json-object', reasoningControl: 'none' }),
  openai('o1-mini', { sampling: false, developerRole: false, reasoningControl: 'none' }),
  openai('o3-mini', { sampling: false, efforts: ['low', 'medium', 'high'], parallelToolCalls: false, developerRole: true }),
  openai('gpt-5', { sampling: false, efforts: ['minimal', 'low', 'medium', 'high'], maxStop: 0 }),
  openai('gpt-5-2025-08-07', { efforts: ['minimal', 'low', 'medium', 'high'] }),
  openai('gpt-5-codex', { efforts: ['low', 'medium', 'high'] }),
  openai('gpt-5-pro', { efforts: ['high'] }),
  openai('gpt-5-chat-latest', { reasoningControl: 'none' }),
  openai('gpt-5.1', { efforts: ['none', 'low', 'medium', 'high'] }),
  openai('gpt-5.1-codex-max', { efforts: ['none', 'low', 'medium', 'high', 'xhigh'] }),
  openai('gpt-5.2-pro', { efforts: ['medium', 'high', 'xhigh'] }),
  openai('gpt-5.6-sol', { sampling: false, efforts: ['none', 'low', 'medium', 'high', 'xhigh'] }),
  chat('gpt-4o', { maxTokensField: 'max_completion_tokens', toolId: { max: 40, charset: 'any' } }),
  row('azure-openai', 'openai-chat')('gpt-5-nano', { sampling: false }),
  row('github-models', 'openai-chat')('openai/o4-mini', { sampling: false, maxTokensField: 'max_completion_tokens' }),
  row('github-models', 'openai-chat')('meta/Llama-3.3-70B-Instruct', { sampling: true, reasoningControl: 'none' }),
  // Claude: budgets, then adaptive thinking; from 4.7 on no sampling.
  claude('claude-3-5-sonnet-20241022', { reasoningControl: 'none', temperatureWithTopP: true }),
  claude('claude-3-7-sonnet-20250219', { reasoningControl: 'budget', sampling: true }),
  claude('claude-sonnet-4-20250514', { reasoningControl: 'budget', temperatureWithTopP: true }),
  claude('claude-sonnet-4-0', { reasoningControl: 'budget' }),
  claude('claude-opus-4-1-20250805', { reasoningControl: 'budget', sampling: true }),
  claude('claude-haiku-4-5', { reasoningControl: 'budget', sampling: true }),
  claude('claude-opus-4-6', {
    reasoningControl: 'adaptive',
    sampling: true,
    efforts: ['none', 'low', 'medium', 'high', 'max'],
    midSystem: false,
  }),
  claude('claude-opus-4-7', {
    reasoningControl: 'adaptive',
    sampling: false,
    topK: false,
    efforts: ['none', ...NEW_EFFORTS],
    midSystem: false,
  }),
  claude('claude-opus-4-8', { reasoningControl: 'adaptive', sampling: false, midSystem: true }),
  claude('claude-sonnet-5', { efforts: ['none', ...NEW_EFFORTS], forcedToolChoice: true }),
  claude('claude-fable-5', { efforts: NEW_EFFORTS, sampling: false, forcedToolChoice: true }),
  claude('claude-fable-5-1', { forcedToolChoice: false }),
  claude('claude-opus-5-5', { efforts: NEW_EFFORTS, forcedToolChoice: false }),
  claude('claude-something-9', { reasoningControl: 'adaptive', sampling: false, efforts: NEW_EFFORTS }),
  row('vertex', 'anthropic-messages')('claude-sonnet-4-5@20250929', { reasoningControl: 'budget', sampling: true }),
  row('vertex', 'anthropic-messages')('claude-opus-4@20250514', { reasoningControl: 'budget', temperatureWithTopP: true }),
  row('bedrock', 'anthropic-messages')('us.anthropic.claude-opus-4-8', { reasoningControl: 'adaptive', sampling: false }),
  row('bedrock', 'bedrock-converse')('anthropic.claude-3-5-sonnet-20240620-v1:0', {
    reasoningControl: 'none',
    cacheControl: true,
    output: 'none',
  }),
  row('bedrock', 'bedrock-converse')('global.anthropic.claude-sonnet-4-5-20250929-v1:0', {
    reasoningControl: 'budget',
    output: 'json-schema',
  }),
  row('bedrock', 'bedrock-converse')('us.amazon.nova-2-lite-v1:0', { reasoningControl: 'level', cacheControl: true, maxStop: 4 }),
  row('bedrock', 'bedrock-converse')('us.meta.llama3-3-70b-instruct-v1:0', {
    forcedToolChoice: false,
    cacheControl: false,
  }),
  // Gemini: none, a budget, a level.
  gemini('gemini-2.0-flash-001', { reasoningControl: 'none', geminiToolIds: false }),
  gemini('gemini-2.5-flash', { reasoningControl: 'budget', maxBudgetTokens: 24_576 }),
  gemini('gemini-2.5-flash-image', { reasoningControl: 'none' }),
  gemini('gemini-2.5-pro', { reasoningControl: 'budget', maxBudgetTokens: 32_768 }),
  gemini('gemini-3-pro-preview', { reasoningControl: 'level', efforts: ['low', 'high'], geminiToolIds: true }),
  gemini('gemini-3.6-flash', { reasoningControl: 'level', efforts: ['minimal', 'low', 'medium', 'high'], geminiToolIds: true }),
  // Others, each in its own way.
  row('deepseek', 'openai-chat')('deepseek-reasoner', { forcedToolChoice: false, reasoningField: 'reasoning_content' }),
  row('deepseek', 'openai-chat')('deepseek-chat', { forcedToolChoice: true }),
  row('moonshot', 'openai-chat')('kimi-k3', { reasoningControl: 'effort', efforts: ['low', 'high', 'max'], sampling: false }),
  row('moonshot', 'openai-chat')('kimi-k2.6', { reasoningControl: 'thinking-type', sampling: false }),
  row('moonshot', 'openai-chat')('kimi-k2-0905-preview', { reasoningControl: 'none', sampling: true, maxTemperature: 1 }),
  row('zai', 'openai-chat')('glm-5.3', { reasoningControl: 'effort', efforts: ['low', 'high', 'max'] }),
  row('zai', 'openai-chat')('glm-4.7', { reasoningControl: 'thinking-type', forcedToolChoice: false }),
  row('zai', 'anthropic-messages')('glm-5.3', { reasoningControl: 'budget' }),
  row('xai', 'openai-chat')('grok-4.5', { efforts: ['low', 'medium', 'high'], maxStop: 0 }),
  row('xai', 'openai-chat')('grok-4.3', { efforts: ['none', 'low', 'medium', 'high'] }),
  row('xai', 'openai-chat')('grok-3-mini', { efforts: ['low', 'high'], penalties: false }),
  row('xai', 'openai-chat')('grok-4-1-fast-non-reasoning', { penalties: true, reasoningControl: 'none' }),
  row('mistral', 'openai-chat')('mistral-large-latest', { toolId: { max: 9, charset: 'word', exact: 9 }, reasoningControl: 'none' }),
  row('groq', 'openai-chat')('openai/gpt-oss-20b', { efforts: ['low', 'medium', 'high'], logprobs: false }),
  row('groq', 'openai-chat')('qwen/qwen3-32b', { efforts: ['none', 'high'] }),
  row('groq', 'openai-chat')('llama-3.3-70b-versatile', { reasoningControl: 'none', output: 'json-object' }),
  row('cerebras', 'openai-chat')('gpt-oss-120b', { efforts: ['low', 'medium', 'high'], penalties: false }),
  row('vllm', 'openai-chat')('openai/gpt-oss-120b', { reasoningControl: 'effort' }),
];

describe('what models take', () => {
  it.each(ROWS)('$preset $protocol $model', ({ preset, protocol, model, facts }) => {
    const provider = compileProvider(
      'it',
      { preset, key: 'k', settings: { project: 'p', resource: 'r' }, protocols: [protocol] },
      () => ({}),
    );
    expect(provider.wires.get(protocol)?.factsOf(model)).toMatchObject(facts);
  });
});
