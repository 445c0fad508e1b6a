import type { JsonObject } from '../ir/index.ts';
import { bareModel } from './behaviour.ts';
import { type SandboxModel, sandboxModels } from './sandbox-models.ts';
import type { ServedProtocol } from './wires.ts';

type Shape = (model: SandboxModel, name: string) => JsonObject;

const openai: Shape = (model, name) => ({
  id: name,
  object: 'model',
  created: model.createdAt,
  owned_by: model.ownedBy,
  description: model.description,
});

const anthropic: Shape = (model, name) => ({
  type: 'model',
  id: name,
  display_name: model.displayName,
  created_at: new Date(model.createdAt * 1000).toISOString(),
});

/** What each may be asked for, in Gemini's words; all others talk. */
const METHODS: Readonly<Record<string, readonly string[]>> = { embed: ['embedContent', 'batchEmbedContents'], rerank: [] };
const TALKS: readonly string[] = ['generateContent', 'streamGenerateContent', 'countTokens'];

const gemini: Shape = (model, name) => ({
  name: `models/${name}`,
  baseModelId: name,
  version: '1',
  displayName: model.displayName,
  description: model.description,
  inputTokenLimit: model.inputTokenLimit,
  outputTokenLimit: model.outputTokenLimit,
  supportedGenerationMethods: METHODS[bareModel(model.id)] ?? TALKS,
});

const shapeFor = (protocol: ServedProtocol): Shape =>
  protocol === 'gemini' ? gemini : protocol === 'anthropic-messages' ? anthropic : openai;

/** The list of models in the shape of a protocol, by the sandbox's own names (without `sandbox/`). */
export function listModels(protocol: ServedProtocol): JsonObject {
  const entries = sandboxModels.map((model) => shapeFor(protocol)(model, bareModel(model.id)));
  if (protocol === 'gemini') return { models: entries };
  if (protocol !== 'anthropic-messages') return { object: 'list', data: entries };
  return { data: entries, first_id: entries[0]?.['id'] ?? null, last_id: entries.at(-1)?.['id'] ?? null, has_more: false };
}

/** One model of the list; `undefined` when it is not there. */
export function listedModel(protocol: ServedProtocol, id: string): JsonObject | undefined {
  const name = bareModel(id);
  const model = sandboxModels.find((one) => bareModel(one.id) === name);
  return model && shapeFor(protocol)(model, name);
}
