import { isObject, type Json, type JsonObject, type ProtocolId, type TargetFacts } from '../../src/ir/index.ts';

/*
 * What providers of each dialect take, by their own documentation and not by our codecs: what breaks one of these rules is
 * answered with a 400. Each check says the first thing that is wrong, or `undefined`.
 */

type Problem = string | undefined;

const list = (value: Json | undefined): readonly JsonObject[] => (Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : []);
const inside = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});
const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

const firstProblem = <T>(items: readonly T[], check: (item: T, index: number) => Problem): Problem => {
  for (const [index, item] of items.entries()) {
    const problem = check(item, index);
    if (problem !== undefined) return problem;
  }
  return undefined;
};

const CHAT_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

function chatContent(content: Json | undefined): Problem {
  if (typeof content === 'string' || content === null) return undefined;
  return firstProblem(list(content), (part) =>
    ['text', 'image_url', 'input_audio', 'file', 'video_url', 'refusal'].includes(text(part['type']))
      ? undefined
      : `content ${text(part['type'])}`,
  );
}

function chatRequest(body: JsonObject): Problem {
  const messages = list(body['messages']);
  if (messages.length === 0) return 'no messages';
  let due = new Set<string>();
  const problem = firstProblem(messages, (message, at) => {
    const role = text(message['role']);
    if (role !== 'tool' && due.size > 0) return `messages[${at}]: a call without a result`;
    if (role === 'tool') return due.delete(text(message['tool_call_id'])) ? undefined : `messages[${at}]: a result without its call`;
    if (!['system', 'developer', 'user', 'assistant'].includes(role)) return `role ${role}`;
    const calls = list(message['tool_calls']);
    due = new Set(calls.map((call) => text(call['id'])));
    if (due.size < calls.length) return 'two calls under one id';
    const wrong = calls.find(
      (call) =>
        text(call['id']) === '' ||
        text(call['id']).length > 64 ||
        !CHAT_NAME.test(text(inside(call['function'] ?? call['custom'])['name'])),
    );
    if (wrong) return `call ${JSON.stringify(wrong).slice(0, 100)}`;
    if (role !== 'assistant' && message['content'] === null) return `messages[${at}] without content`;
    return chatContent(message['content']);
  });
  const tools = list(body['tools']);
  const named = tools.find(
    (tool) =>
      ['function', 'custom'].includes(text(tool['type'])) && !CHAT_NAME.test(text(inside(tool['function'] ?? tool['custom'])['name'])),
  );
  if (named) return `tool ${JSON.stringify(named).slice(0, 100)}`;
  if (tools.length === 0 && (body['tool_choice'] !== undefined || body['parallel_tool_calls'] !== undefined))
    return 'tool_choice without tools';
  const format = inside(body['response_format']);
  if (format['type'] === 'json_schema' && !CHAT_NAME.test(text(inside(format['json_schema'])['name'])))
    return 'response_format without a name';
  return problem ?? (due.size > 0 ? 'a call without a result at the end' : undefined);
}

const BLOCKS: Readonly<Record<string, ReadonlySet<string>>> = {
  user: new Set(['text', 'image', 'document', 'tool_result', 'search_result', 'container_upload']),
  assistant: new Set(['text', 'thinking', 'redacted_thinking', 'tool_use']),
  system: new Set(['text']),
};
const IMAGES: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

function anthropicBlock(block: JsonObject, role: string): Problem {
  const type = text(block['type']);
  // What its own tools did goes back to the dialect's maker.
  if (role === 'assistant' && /^(server_tool_use|mcp_tool_use|.+_tool_result|compaction|fallback)$/.test(type)) return undefined;
  if (!BLOCKS[role]?.has(type)) return `${type} in a message of ${role}`;
  switch (type) {
    case 'text':
      return text(block['text']).trim() === '' ? 'an empty text' : undefined;
    case 'image': {
      const source = inside(block['source']);
      return source['type'] !== 'base64' || IMAGES.has(text(source['media_type'])) ? undefined : `image of ${text(source['media_type'])}`;
    }
    case 'thinking':
      return text(block['signature']) === '' ? 'thinking without a signature' : undefined;
    case 'tool_use':
      return /^[a-zA-Z0-9_-]+$/.test(text(block['id'])) && /^[a-zA-Z0-9_-]{1,128}$/.test(text(block['name'])) && isObject(block['input'])
        ? undefined
        : 'tool_use';
    case 'tool_result':
      return firstProblem(list(block['content']), (inner) =>
        text(inner['type']) === 'text' && text(inner['text']).trim() === '' ? 'an empty text in a result' : undefined,
      );
    default:
      return undefined;
  }
}

const blocksOf = (message: JsonObject): readonly JsonObject[] =>
  typeof message['content'] === 'string' ? [{ type: 'text', text: message['content'] }] : list(message['content']);

function anthropicMessages(messages: readonly JsonObject[]): Problem {
  if (messages.length === 0) return 'no messages';
  if (messages[0]?.['role'] !== 'user') return `begins with ${text(messages[0]?.['role'])}`;
  let due: readonly string[] = [];
  const ids = new Set<string>();
  const problem = firstProblem(messages, (message, at) => {
    const role = text(message['role']);
    const blocks = blocksOf(message);
    if (blocks.length === 0) return `messages[${at}] is empty`;
    const results = blocks.filter((block) => block['type'] === 'tool_result');
    const early = blocks.findIndex((block) => block['type'] !== 'tool_result');
    if (results.length > 0 && early >= 0 && early < results.length) return `messages[${at}]: results must come first`;
    const answered = results.map((block) => text(block['tool_use_id']));
    if (role === 'user' && JSON.stringify(answered.toSorted()) !== JSON.stringify(due.toSorted()))
      return `messages[${at}]: results do not match calls`;
    due = role === 'assistant' ? blocks.filter((block) => block['type'] === 'tool_use').map((block) => text(block['id'])) : [];
    const twice = due.find((id) => ids.has(id));
    if (twice !== undefined) return `tool id ${twice} twice`;
    for (const id of due) ids.add(id);
    return firstProblem(blocks, (block) => anthropicBlock(block, role));
  });
  if (problem) return problem;
  const last = messages.at(-1);
  const end = last && blocksOf(last).at(-1);
  if (last?.['role'] === 'assistant' && end?.['type'] === 'text' && /\s$/.test(text(end['text']))) return 'ends in white space';
  return due.length > 0 ? 'a call without a result at the end' : undefined;
}

function anthropicThinking(body: JsonObject): Problem {
  const thinking = inside(body['thinking']);
  if (thinking['type'] !== 'enabled' && thinking['type'] !== 'adaptive') return undefined;
  const budget = thinking['budget_tokens'];
  if (thinking['type'] === 'enabled' && (typeof budget !== 'number' || budget < 1024 || budget >= Number(body['max_tokens'])))
    return `budget ${String(budget)} of ${String(body['max_tokens'])}`;
  if (body['temperature'] !== undefined && body['temperature'] !== 1) return 'temperature with thinking';
  if (body['top_k'] !== undefined) return 'top_k with thinking';
  return ['any', 'tool'].includes(text(inside(body['tool_choice'])['type'])) ? 'a forced tool with thinking' : undefined;
}

const countMarks = (value: Json | undefined): number => {
  if (Array.isArray(value)) return (value as readonly Json[]).reduce<number>((sum, one) => sum + countMarks(one), 0);
  if (!isObject(value)) return 0;
  return Object.entries(value).reduce((sum, [key, one]) => sum + (key === 'cache_control' ? 1 : key === 'input' ? 0 : countMarks(one)), 0);
};

function anthropicRequest(body: JsonObject): Problem {
  if (typeof body['max_tokens'] !== 'number' || body['max_tokens'] < 1) return 'max_tokens missing';
  if (typeof body['temperature'] === 'number' && body['temperature'] > 1) return 'temperature';
  if (countMarks(body) > 4) return 'more than 4 cache marks';
  const tools = list(body['tools']);
  const names = tools.map((tool) => text(tool['name']));
  if (new Set(names).size < names.length) return 'two tools of one name';
  const schema = tools.find((tool) => tool['input_schema'] !== undefined && inside(tool['input_schema'])['type'] !== 'object');
  if (schema) return `schema of ${text(schema['name'])}`;
  if (tools.length === 0 && body['tool_choice'] !== undefined) return 'tool_choice without tools';
  const system = blocksOf({ content: body['system'] ?? [] });
  return (
    firstProblem(system, (block) => anthropicBlock(block, 'system')) ?? anthropicMessages(list(body['messages'])) ?? anthropicThinking(body)
  );
}

const GEMINI_NAME = /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/;
/** Words that `parameters` and `responseSchema` refuse. */
const REFUSED = ['$ref', '$schema', '$defs', 'additionalProperties', 'allOf', 'oneOf', 'const'];

function geminiSchema(schema: Json | undefined): Problem {
  if (Array.isArray(schema)) return firstProblem(schema as readonly Json[], geminiSchema);
  if (!isObject(schema)) return undefined;
  const word = REFUSED.find((one) => schema[one] !== undefined);
  if (word !== undefined) return `schema with ${word}`;
  return firstProblem(Object.entries(schema), ([key, value]) =>
    key === 'properties'
      ? firstProblem(Object.values(inside(value)), geminiSchema)
      : ['items', 'anyOf'].includes(key)
        ? geminiSchema(value)
        : undefined,
  );
}

const partsOf = (content: JsonObject | undefined, key: string): number =>
  list(content?.['parts']).filter((part) => part[key] !== undefined).length;

function geminiContents(contents: readonly JsonObject[]): Problem {
  if (contents.length === 0) return 'no contents';
  return firstProblem(contents, (content, at) => {
    const role = text(content['role']);
    if (role !== 'user' && role !== 'model') return `contents[${at}] of role ${role}`;
    if (list(content['parts']).length === 0) return `contents[${at}] is empty`;
    const before = contents[at - 1];
    // What the model's own content answers, the server did (MCP).
    const answers = role === 'user' ? partsOf(content, 'functionResponse') : 0;
    const asked = before?.['role'] === 'model' ? partsOf(before, 'functionCall') - partsOf(before, 'functionResponse') : 0;
    if (answers !== asked) return `contents[${at}]: ${answers} results for ${asked} calls`;
    const empty = list(content['parts']).find((part) => Object.keys(part).every((key) => key === 'thought' || key === 'thoughtSignature'));
    return empty ? `contents[${at}] has a part that says nothing` : undefined;
  });
}

function geminiRequest(body: JsonObject): Problem {
  const config = inside(body['generationConfig']);
  const declared = list(body['tools']).flatMap((tool) => list(tool['functionDeclarations']));
  const named = declared.find((one) => !GEMINI_NAME.test(text(one['name'])));
  if (named) return `function ${text(named['name'])}`;
  return (
    geminiContents(list(body['contents'])) ??
    firstProblem(declared, (one) => geminiSchema(one['parameters'])) ??
    geminiSchema(config['responseSchema']) ??
    (config['responseSchema'] !== undefined && config['responseMimeType'] === undefined
      ? 'responseSchema without responseMimeType'
      : undefined)
  );
}

function responsesContent(item: JsonObject): Problem {
  const own = item['role'] === 'assistant' ? ['output_text', 'refusal'] : ['input_text', 'input_image', 'input_file', 'input_audio'];
  return firstProblem(list(item['content']), (part) =>
    own.includes(text(part['type'])) ? undefined : `${text(part['type'])} of ${text(item['role'])}`,
  );
}

function responsesRequest(body: JsonObject): Problem {
  if (typeof body['input'] === 'string') return undefined;
  const due = new Set<string>();
  const problem = firstProblem(list(body['input']), (item, at) => {
    const type = text(item['type']) || 'message';
    const id = text(item['call_id']);
    switch (type) {
      case 'message':
        return ['user', 'assistant', 'system', 'developer'].includes(text(item['role']))
          ? responsesContent(item)
          : `input[${at}] of role ${text(item['role'])}`;
      case 'function_call':
      case 'custom_tool_call':
        due.add(id);
        return id === '' || id.length > 64 || text(item['name']) === '' ? `input[${at}]: a call without id or name` : undefined;
      case 'function_call_output':
      case 'custom_tool_call_output':
        return due.delete(id) ? undefined : `input[${at}]: a result without its call`;
      default:
        return undefined;
    }
  });
  return problem ?? (due.size > 0 ? 'a call without a result' : undefined);
}

function converseBlock(block: JsonObject): Problem {
  const { toolUse, toolResult, text: said, document, image } = block;
  if (said !== undefined) return text(said).trim() === '' ? 'an empty text' : undefined;
  if (isObject(toolUse))
    return /^[a-zA-Z0-9_-]{1,64}$/.test(text(toolUse['toolUseId'])) &&
      /^[a-zA-Z0-9_-]{1,64}$/.test(text(toolUse['name'])) &&
      isObject(toolUse['input'])
      ? undefined
      : 'toolUse';
  if (isObject(toolResult))
    return list(toolResult['content']).length === 0 ? 'an empty result' : firstProblem(list(toolResult['content']), converseBlock);
  if (isObject(document)) return text(document['name']) === '' || text(document['format']) === '' ? 'document' : undefined;
  if (isObject(image)) return ['png', 'jpeg', 'gif', 'webp'].includes(text(image['format'])) ? undefined : 'image';
  return isObject(block['reasoningContent']) || isObject(block['cachePoint']) || isObject(block['video']) || isObject(block['audio'])
    ? undefined
    : `a block of ${Object.keys(block).join()}`;
}

function converseRequest(body: JsonObject): Problem {
  const messages = list(body['messages']);
  if (messages[0]?.['role'] !== 'user') return 'does not begin with the user';
  const ids = (message: JsonObject | undefined, kind: string): string =>
    list(message?.['content'])
      .flatMap((block) => (isObject(block[kind]) ? [text(block[kind]['toolUseId'])] : []))
      .toSorted()
      .join();
  const problem = firstProblem(messages, (message, at) => {
    if (message['role'] === messages[at - 1]?.['role']) return `messages[${at}] repeats its role`;
    if (list(message['content']).length === 0) return `messages[${at}] is empty`;
    if (message['role'] === 'user' && ids(message, 'toolResult') !== ids(messages[at - 1], 'toolUse'))
      return `messages[${at}]: results do not match calls`;
    return firstProblem(list(message['content']), converseBlock);
  });
  if (problem !== undefined) return problem;
  const uses = messages.some((message) => ids(message, 'toolUse') !== '');
  if (uses && !isObject(body['toolConfig'])) return 'calls without toolConfig';
  return body['toolConfig'] !== undefined && list(inside(body['toolConfig'])['tools']).length === 0
    ? 'toolConfig without tools'
    : undefined;
}

/** What is wrong with a request that was translated for a provider of this dialect. */
export function requestProblem(protocol: ProtocolId, body: JsonObject): Problem {
  switch (protocol) {
    case 'openai-chat':
      return chatRequest(body);
    case 'openai-responses':
      return responsesRequest(body);
    case 'anthropic-messages':
      return anthropicRequest(body);
    case 'gemini':
      return geminiRequest(body);
    case 'bedrock-converse':
      return converseRequest(body);
    default:
      return undefined;
  }
}

/** Ids of calls in a conversation, whatever the dialect's shape. */
function* idsIn(value: Json | undefined): Iterable<string> {
  if (Array.isArray(value)) for (const one of value as readonly Json[]) yield* idsIn(one);
  if (!isObject(value)) return;
  const { type, id, call_id, tool_calls, content, functionCall, parts } = value;
  if ((type === 'function' || type === 'tool_use') && typeof id === 'string') yield id;
  if (typeof call_id === 'string') yield call_id;
  if (isObject(functionCall) && typeof functionCall['id'] === 'string') yield functionCall['id'];
  yield* idsIn(tool_calls);
  yield* idsIn(content);
  yield* idsIn(parts);
}

/** What is wrong with a request by what is known of its target beyond the dialect. */
export function factsProblem(protocol: ProtocolId, body: JsonObject, facts: TargetFacts): Problem {
  const from = protocol === 'gemini' ? inside(body['generationConfig']) : body;
  const temperature = from['temperature'];
  if (typeof temperature === 'number' && temperature > facts.maxTemperature) return `temperature ${temperature}`;
  for (const name of ['temperature', 'top_p', 'topP'])
    if (!facts.sampling && from[name] !== undefined && from[name] !== 1) return `${name}, which the model refuses`;
  if (!facts.topK && (from['top_k'] ?? from['topK']) !== undefined) return 'top_k, which the target refuses';
  if (!facts.seed && from['seed'] !== undefined) return 'seed, which the target refuses';
  if (!facts.penalties && (from['frequency_penalty'] ?? from['frequencyPenalty']) !== undefined)
    return 'penalties, which the target refuses';
  const stops = from['stop'] ?? from['stop_sequences'] ?? from['stopSequences'];
  if (Array.isArray(stops) && stops.length > facts.maxStop) return `${stops.length} stop sequences`;
  const effort = from['reasoning_effort'] ?? inside(from['reasoning'])['effort'] ?? inside(from['output_config'])['effort'];
  if (typeof effort === 'string' && !facts.efforts.includes(effort)) return `effort ${effort}`;
  const { max, exact, charset } = facts.toolId;
  for (const id of idsIn(body['messages'] ?? body['input'] ?? body['contents']))
    if (id.length > max || (exact !== undefined && id.length !== exact) || (charset === 'word' && !/^[a-zA-Z0-9_-]+$/.test(id)))
      return `tool id ${id}`;
  return undefined;
}
