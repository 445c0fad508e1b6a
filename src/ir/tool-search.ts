import type { Notes } from './note.ts';
import type { ProtocolId } from './protocol-id.ts';
import type { Tool } from './request.ts';

/**
 * The tools that a target of `dialect` is told of. Another dialect's search for deferred tools goes: the target is told of
 * all tools at once, which is what the search is for.
 */
export function toldTools(tools: readonly Tool[], dialect: ProtocolId, notes: Notes): readonly Tool[] {
  return tools.filter((tool) => {
    const goes = tool.kind === 'hosted' && tool.tool === 'tool-search' && tool.native.by !== dialect;
    if (goes) notes.add(`tools.${tool.name}`, 'emulated', 'the target is told of all tools at once');
    return !goes;
  });
}
