import type { ChatRequest, HostedToolDefinition, Notes, ProtocolId, TargetFacts, Tool } from '../ir/index.ts';

const isSearch = (tool: Tool): tool is HostedToolDefinition => tool.kind === 'hosted' && tool.tool === 'web-search';

/** Chat's word for its own search stands for it too. */
const canSearch = (facts: TargetFacts): boolean =>
  facts.hostedTools.includes('web-search') || facts.hostedTools.includes('web_search_options');

/**
 * Coding agents offer a web search beside their own tools on every request, whoever answers it. Where the target has none, and
 * the request does not insist on it, the model goes without: a 400 would shut such agents out of every provider but their
 * vendor's. A request whose only tool is a search wants to search, and is refused by the codec as any lost tool is.
 */
export function withoutMissingSearch(request: ChatRequest, target: ProtocolId, facts: TargetFacts, notes: Notes): ChatRequest {
  const { tools, toolChoice } = request;
  const missing = tools.filter((tool) => isSearch(tool) && tool.native.by !== target && !canSearch(facts));
  const left = tools.filter((tool) => !missing.includes(tool));
  const insists = toolChoice?.type === 'hosted' || toolChoice?.type === 'allowed';
  if (missing.length === 0 || insists || !left.some((tool) => tool.kind !== 'hosted')) return request;
  for (const tool of missing) if (tool.kind === 'hosted') notes.add(`tools.${tool.name}`, 'dropped', 'the target cannot search the web');
  return { ...request, tools: left };
}
