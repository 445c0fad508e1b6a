import { describe, expect, it } from 'vitest';
import { type ChatRequest, createNotes, DEFAULT_FACTS, type HostedToolDefinition, type Tool } from '../ir/index.ts';
import { withoutMissingSearch } from './optional-tools.ts';

const search: HostedToolDefinition = {
  kind: 'hosted',
  tool: 'web-search',
  name: 'web_search',
  native: { by: 'openai-responses', value: { type: 'web_search' } },
};
const shell: Tool = { kind: 'function', name: 'shell' };
const code: HostedToolDefinition = { ...search, tool: 'code-execution', name: 'code_interpreter' };

const request = (tools: readonly Tool[], more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: 'm',
  instructions: [],
  turns: [],
  tools,
  stream: true,
  ...more,
});

describe('a web search that the target has not', () => {
  it.each<[string, ChatRequest, string, readonly string[], readonly string[]]>([
    ['goes with a note beside tools of the client', request([shell, search]), 'openai-chat', [], ['shell']],
    ['stays where the target can search', request([shell, search]), 'openai-chat', ['web-search'], ['shell', 'web_search']],
    ['stays where the target speaks its own dialect', request([shell, search]), 'openai-responses', [], ['shell', 'web_search']],
    ['stays when it is all that there is', request([search]), 'openai-chat', [], ['web_search']],
    ['stays beside other hosted tools alone', request([search, code]), 'openai-chat', [], ['web_search', 'code_interpreter']],
    [
      'stays when it must be called',
      request([shell, search], { toolChoice: { type: 'hosted', tool: 'web-search' } }),
      'openai-chat',
      [],
      ['shell', 'web_search'],
    ],
  ])('%s', (_, asked, target, hostedTools, names) => {
    const notes = createNotes();
    const told = withoutMissingSearch(asked, target as 'openai-chat', { ...DEFAULT_FACTS, hostedTools }, notes);
    expect(told.tools.map(({ name }) => name)).toEqual(names);
    expect(notes.list.map(({ field, what }) => `${field};${what}`)).toEqual(
      names.length < asked.tools.length ? ['tools.web_search;dropped'] : [],
    );
  });
});
