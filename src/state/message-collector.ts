import { isObject, type Json, type JsonObject, parseObject } from '../ir/index.ts';

/** Builds an Anthropic message's content out of its stream events. */
export interface MessageCollector {
  /** Takes one event's JSON. */
  event(body: JsonObject): void;
  readonly content: readonly JsonObject[];
  readonly stopReason: Json | undefined;
  /** `message_stop` came. */
  readonly isComplete: boolean;
}

/** Where the text of a delta goes: into which member of its block. */
const APPENDED: Readonly<Record<string, { readonly from: string; readonly to: string }>> = {
  text_delta: { from: 'text', to: 'text' },
  thinking_delta: { from: 'thinking', to: 'thinking' },
  signature_delta: { from: 'signature', to: 'signature' },
  compaction_delta: { from: 'content', to: 'content' },
};

function grown(block: JsonObject, delta: JsonObject): JsonObject {
  const type = String(delta['type']);
  const appended = APPENDED[type];
  if (appended) {
    const before = block[appended.to];
    return { ...block, [appended.to]: (typeof before === 'string' ? before : '') + String(delta[appended.from] ?? '') };
  }
  if (type !== 'citations_delta' || delta['citation'] === undefined) return block;
  const citations = Array.isArray(block['citations']) ? block['citations'] : [];
  return { ...block, citations: [...citations, delta['citation']] };
}

/** A message of which nothing has come yet. */
export function createMessageCollector(): MessageCollector {
  const blocks: JsonObject[] = [];
  const inputs = new Map<number, string>();
  const close = (index: number): void => {
    const block = blocks[index];
    const text = inputs.get(index);
    if (block && text !== undefined) blocks[index] = { ...block, input: parseObject(text === '' ? '{}' : text) ?? {} };
  };
  const collector: MessageCollector & { stopReason: Json | undefined; isComplete: boolean } = {
    content: blocks,
    stopReason: undefined,
    isComplete: false,
    event(body) {
      const index = typeof body['index'] === 'number' ? body['index'] : -1;
      const { delta, content_block: block } = body;
      switch (body['type']) {
        case 'content_block_start':
          if (isObject(block) && index === blocks.length) blocks.push(block);
          return;
        case 'content_block_delta': {
          const open = blocks[index];
          if (!open || !isObject(delta)) return;
          if (delta['type'] === 'input_json_delta') inputs.set(index, (inputs.get(index) ?? '') + String(delta['partial_json'] ?? ''));
          else blocks[index] = grown(open, delta);
          return;
        }
        case 'content_block_stop':
          close(index);
          return;
        case 'message_delta':
          if (isObject(delta)) collector.stopReason = delta['stop_reason'];
          return;
        case 'message_stop':
          collector.isComplete = true;
          return;
        default:
      }
    },
  };
  return collector;
}
