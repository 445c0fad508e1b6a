import { describe, expect, it } from 'vitest';
import { foreignFields, refuseForeignContent } from './foreign-fields.ts';
import { createNotes } from './note.ts';
import type { ChatRequest } from './request.ts';
import { toldTools } from './tool-search.ts';

const ask = (more: Partial<ChatRequest>): ChatRequest => ({ model: 'm', instructions: [], turns: [], tools: [], stream: false, ...more });
const mine = (rest: Record<string, string | boolean | null>) => ({ residue: { gemini: rest } });

describe('fields that only another dialect has', () => {
  it('are named by where they stand, but for those switched off, read already, or of the own dialect', () => {
    const request = ask({
      ...mine({ safetySettings: 'x', off: false, nothing: null, thinking: 'read' }),
      tools: [{ kind: 'function', name: 'f', ...mine({ behavior: 'y' }) }],
      turns: [{ role: 'user', ...mine({ mood: 'z' }), parts: [{ kind: 'text', text: 't', ...mine({ videoMetadata: 'v' }) }] }],
    });
    expect([...foreignFields(request, 'openai-chat')]).toEqual([
      'safetySettings',
      'tools.behavior',
      'messages.mood',
      'messages.videoMetadata',
    ]);
    expect([...foreignFields(request, 'gemini')]).toEqual([]);
  });

  it('are refused where the model would be asked something else', () => {
    const stored = ask(mine({ cachedContent: 'c' }));
    expect(() => refuseForeignContent(stored, 'openai-chat')).toThrow("'cachedContent' has no equal");
    expect(() => refuseForeignContent(stored, 'gemini')).not.toThrow();
    const block = { kind: 'native', by: 'gemini', value: { type: 'hologram' } } as const;
    expect(() => refuseForeignContent(ask({ turns: [{ role: 'user', parts: [block] }] }), 'openai-chat')).toThrow("'hologram'");
    expect(() => refuseForeignContent(ask({ turns: [{ role: 'assistant', parts: [block] }] }), 'openai-chat')).not.toThrow();
  });
});

describe('a search for deferred tools', () => {
  const search = { kind: 'hosted', tool: 'tool-search', name: 'tool_search', native: { by: 'openai-responses', value: {} } } as const;
  const deferred = { kind: 'function', name: 'f' } as const;

  it('goes where the target has none, since it is told of all tools', () => {
    const notes = createNotes();
    expect(toldTools([search, deferred], 'openai-chat', notes)).toEqual([deferred]);
    expect(notes.list).toMatchObject([{ field: 'tools.tool_search', what: 'emulated' }]);
  });

  it('stays in its own dialect', () => {
    const notes = createNotes();
    expect(toldTools([search, deferred], 'openai-responses', notes)).toEqual([search, deferred]);
    expect(notes.list).toEqual([]);
  });
});
