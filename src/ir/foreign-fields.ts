import type { Json } from './json.ts';
import type { Residue } from './part.ts';
import type { ProtocolId } from './protocol-id.ts';
import type { ChatRequest } from './request.ts';

/** Members that a residue keeps beside what was read of them, or that say nothing to another dialect. */
const READ: ReadonlySet<string> = new Set([
  'block',
  'caller',
  'transcript',
  'anthropic_version',
  // Chat's many words for how to think: read, and kept for their own kind.
  'reasoning',
  'thinking',
  'enable_thinking',
  'thinking_budget',
  'chat_template_kwargs',
]);

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
