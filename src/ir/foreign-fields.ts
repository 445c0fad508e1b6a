import { badField } from './fault.ts';
import type { Json } from './json.ts';
import type { Residue } from './part.ts';
import type { ProtocolId } from './protocol-id.ts';
import type { ChatRequest, Turn } from './request.ts';

/** Members that a residue keeps beside what was read of them, or that say nothing to another dialect. */
const READ: ReadonlySet<string> = new Set([
  'block',
  'caller',
  'transcript',
  // Told by the reply of a completion.
  'echo',
  'anthropic_version',
  // What to show of an answer; and marks of items, for their own kind.
  'include',
  'item',
  'in_item',
  'in_call',
  'joined',
  'as_file',
  // Chat's many words for how to think: read, and kept for their own kind.
  'reasoning',
  'thinking',
  'enable_thinking',
  'thinking_budget',
  'chat_template_kwargs',
]);

/** Fields without which the model would be asked something else: a gap's other side, stored prompts and state, tools elsewhere. */
const CONTENT = ['suffix', 'prompt', 'cachedContent', 'mcp_servers', 'thread'];

/** Throws for a block of a user that only another dialect can say. */
function refuseForeignBlocks(turn: Turn, dialect: ProtocolId): void {
  for (const part of turn.role === 'user' ? turn.parts : []) {
    if (part.kind !== 'native' || part.by === dialect) continue;
    const type = typeof part.value['type'] === 'string' ? part.value['type'].slice(0, 64) : 'unknown';
    throw badField('messages', `Invalid request: a block of type '${type}' cannot be sent to this model`, 'unsupported_content');
  }
}

/** Throws where only another dialect can say what the model is asked: its loss would change the answer. */
export function refuseForeignContent(request: ChatRequest, dialect: ProtocolId): void {
  for (const [by, rest] of Object.entries(request.residue ?? {})) {
    const lost = by === dialect ? undefined : CONTENT.find((name) => says(rest[name]));
    if (lost !== undefined)
      throw badField(lost, `Invalid request: '${lost}' has no equal in the protocol of this target`, 'unsupported_content');
  }
  for (const turn of request.turns) refuseForeignBlocks(turn, dialect);
}

/** Switched off is what holds anyway. */
const says = (value: Json | undefined): boolean => value !== undefined && value !== null && value !== false;

function* namesIn(of: { readonly residue?: Residue }, dialect: ProtocolId, prefix: string): Iterable<string> {
  for (const [by, rest] of Object.entries(of.residue ?? {})) {
    if (by === dialect) continue;
    for (const name in rest) if (!READ.has(name) && says(rest[name])) yield prefix + name;
  }
}

/**
 * Fields of a request that only other dialects than this one have: `field`, `messages.field` and `tools.field`. An encoder
 * leaves them out, and notes each.
 */
export function* foreignFields(request: ChatRequest, dialect: ProtocolId): Iterable<string> {
  yield* namesIn(request, dialect, '');
  for (const tool of request.tools) if (tool.kind !== 'hosted') yield* namesIn(tool, dialect, 'tools.');
  for (const turn of request.turns) {
    yield* namesIn(turn, dialect, 'messages.');
    for (const part of turn.parts) yield* namesIn(part, dialect, 'messages.');
  }
  for (const part of request.instructions) yield* namesIn(part, dialect, 'messages.');
}
