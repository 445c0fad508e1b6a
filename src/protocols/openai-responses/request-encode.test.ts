import { describe, expect, it } from 'vitest';
import { type ChatRequest, createNotes, DEFAULT_FACTS, type FactChanges, type JsonObject, type Part } from '../../ir/index.ts';
import { openaiResponses } from './index.ts';

/** A request of another dialect, written for a target with these facts. */
function write(more: Partial<ChatRequest>, facts: FactChanges = {}) {
  const notes = createNotes();
  const request: ChatRequest = {
    model: 'm',
    instructions: [],
    turns: [{ role: 'user', parts: [{ kind: 'text', text: 'x' }] }],
    tools: [],
    stream: false,
    ...more,
  };
  const body = openaiResponses.encodeRequest(request, {
    model: 'm',
    facts: { ...DEFAULT_FACTS, ...openaiResponses.facts, ...facts },
    maker: 'openai',
    notes,
  });
  return { body, notes: notes.list.map((note) => `${note.field} ${note.what}`) };
}

const made = (...parts: Part[]): Partial<ChatRequest> => ({
  turns: [
    { role: 'user', parts: [{ kind: 'text', text: 'x' }] },
    { role: 'assistant', parts },
    { role: 'user', parts: [{ kind: 'text', text: 'y' }] },
  ],
});
const itemsOf = (more: Partial<ChatRequest>, facts: FactChanges = {}): readonly JsonObject[] =>
  (write(more, facts).body['input'] as JsonObject[]).slice(1, -1);

const SEAL = { by: 'openai-responses', maker: 'openai', value: 'enc' } as const;

describe('what the target keeps and gives', () => {
  it('answers of other dialects are not stored, and thoughts come back sealed, where the wire knows the words', () => {
    expect(write({}, { encryptedReasoning: true }).body).toEqual({
      model: 'm',
      input: [{ type: 'message', role: 'user', content: 'x' }],
      include: ['reasoning.encrypted_content'],
      store: false,
    });
    expect(write({}, { store: false }).body).toEqual({ model: 'm', input: [{ type: 'message', role: 'user', content: 'x' }] });
  });

  it('state of this dialect passes as its client named it, and no other is named', () => {
    const own = openaiResponses.decodeRequest({ model: 'm', input: 'x', previous_response_id: 'resp_1', store: true, include: [] });
    expect(write(own).body).toMatchObject({ previous_response_id: 'resp_1', store: true, include: [] });
    expect(Object.keys(write({}).body)).not.toContain('previous_response_id');
  });
});

describe('thoughts', () => {
  it('go back to their maker sealed, all pieces in one item', () => {
    expect(
      itemsOf(made({ kind: 'reasoning', text: 'a' }, { kind: 'reasoning', text: 'b', seal: SEAL }), { encryptedReasoning: true }),
    ).toEqual([
      {
        type: 'reasoning',
        summary: [],
        content: [
          { type: 'reasoning_text', text: 'a' },
          { type: 'reasoning_text', text: 'b' },
        ],
        encrypted_content: 'enc',
      },
    ]);
  });

  it.each([
    { name: 'of another maker', part: { kind: 'reasoning', text: 'a', seal: { ...SEAL, maker: 'xai' } } },
    { name: 'of another dialect', part: { kind: 'reasoning', text: 'a', seal: { by: 'gemini', value: 'g' } } },
    { name: 'that nobody sealed', part: { kind: 'reasoning', text: 'a' } },
  ] as const)('$name are left out where the target seals its own, and said as text elsewhere', ({ part }) => {
    expect(itemsOf(made(part), { encryptedReasoning: true })).toEqual([]);
    expect(write(made(part), { encryptedReasoning: true }).notes).toContain('reasoning dropped');
    expect(itemsOf(made(part))).toEqual([{ type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'a' }] }]);
  });
});

describe('tools', () => {
  const f = { kind: 'function', name: 'f', parameters: { type: 'object' } } as const;

  it('strictness is said, since this wire is strict without a word', () => {
    expect(write({ tools: [f] }).body['tools']).toEqual([{ type: 'function', name: 'f', parameters: { type: 'object' }, strict: false }]);
    expect(write({ tools: [{ ...f, strict: true }] }, { strictTools: false }).notes).toEqual(['tools.f.strict dropped']);
  });

  it('free text becomes a function where the target has no custom tools', () => {
    const tools = [{ kind: 'custom', name: 'c', format: { type: 'grammar', syntax: 'lark', definition: 'start: "a"' } }] as const;
    expect(write({ tools }).body['tools']).toMatchObject([{ type: 'function', name: 'c', parameters: { required: ['input'] } }]);
    expect(write({ tools }, { chatFields: ['custom_tools'] }).body['tools']).toMatchObject([
      { type: 'custom', name: 'c', format: { syntax: 'lark' } },
    ]);
  });

  it('those of the provider go where the target has the like', () => {
    const tools = [
      {
        kind: 'hosted',
        tool: 'web-search',
        name: 'web_search',
        allowedDomains: ['a.example'],
        native: { by: 'anthropic-messages', value: {} },
      },
    ] as const;
    expect(write({ tools }, { hostedTools: ['web-search'] }).body['tools']).toEqual([
      { type: 'web_search', filters: { allowed_domains: ['a.example'] } },
    ]);
    expect(() => write({ tools })).toThrow("the tool 'web_search' is run by its provider");
  });

  it('a forced choice is said in words where it cannot be made', () => {
    const { body, notes } = write({ tools: [f], toolChoice: { type: 'tool', name: 'f' } }, { forcedToolChoice: false });
    expect(body).toMatchObject({ tool_choice: 'auto', instructions: expect.stringContaining("calling the tool 'f'") });
    expect(notes).toContain('tool_choice emulated');
    expect(write({ tools: [f], toolChoice: { type: 'allowed', mode: 'required', names: ['f'] } }).body['tool_choice']).toEqual({
      type: 'allowed_tools',
      mode: 'required',
      tools: [{ type: 'function', name: 'f' }],
    });
  });

  it('a call without a result gets one; a result without its call is told as text', () => {
    expect(itemsOf(made({ kind: 'tool-call', id: 'c', name: 'f', argumentsJson: '' }))).toMatchObject([
      { type: 'function_call', call_id: 'c', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: 'There is no result of this call.' },
    ]);
    const lost: Part = { kind: 'tool-result', callId: 'z', content: [{ kind: 'text', text: '9' }], isError: false };
    expect(write({ turns: [{ role: 'user', parts: [lost] }] }).body['input']).toEqual([
      { type: 'message', role: 'user', content: 'Result of the tool call z:\n9' },
    ]);
  });
});

describe('fields', () => {
  it('that this wire has not are noted', () => {
    const { notes } = write({ topK: 4, seed: 1, stop: ['x'], frequencyPenalty: 1, presencePenalty: 0, metadata: { a: 'b' } });
    expect(notes).toEqual(['frequency_penalty dropped', 'top_k dropped', 'seed dropped', 'stop dropped', 'metadata dropped']);
    expect(() => write({ n: 2 })).toThrow("'n' asks for 2");
  });

  it('an effort goes to the nearest word, a budget to one', () => {
    expect(write({ reasoning: { effort: 'max' } }, { efforts: ['low', 'high'] }).body['reasoning']).toEqual({ effort: 'high' });
    expect(write({ reasoning: { budgetTokens: 2000, show: 'auto' } }).body['reasoning']).toEqual({ effort: 'low', summary: 'auto' });
    expect(write({ reasoning: { effort: 'low' } }, { reasoningControl: 'none' }).notes).toEqual(['reasoning dropped']);
  });

  it('a schema is held to only where that was asked', () => {
    const schema = { type: 'object' };
    expect(write({ output: { type: 'json-schema', schema } }).body['text']).toEqual({
      format: { type: 'json_schema', name: 'response', schema, strict: false },
    });
    expect(write({ output: { type: 'json' } }).body).toMatchObject({
      instructions: expect.stringContaining('JSON'),
      text: { format: { type: 'json_object' } },
    });
  });

  it('media: what the target cannot be given is refused, text of documents is said', () => {
    const user = (part: Part): Partial<ChatRequest> => ({ turns: [{ role: 'user', parts: [part] }] });
    const pdf: Part = { kind: 'media', media: 'document', source: { type: 'base64', data: 'JVBERi0=' } };
    expect(write(user(pdf)).body['input']).toMatchObject([
      { content: [{ type: 'input_file', filename: 'document.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' }] },
    ]);
    expect(() => write(user({ kind: 'media', media: 'video', source: { type: 'url', url: 'https://a.example' } }))).toThrow('a video');
    expect(write(user({ kind: 'media', media: 'document', source: { type: 'text', text: 'hi' }, title: 'T' })).body['input']).toEqual([
      { type: 'message', role: 'user', content: '<document title="T">\nhi\n</document>' },
    ]);
  });
});
