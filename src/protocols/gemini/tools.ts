import {
  badField,
  type HostedTool,
  type HostedToolDefinition,
  isObject,
  type JsonObject,
  type Notes,
  type TargetFacts,
  targetToolName,
  toldTools,
  type Tool,
  type ToolChoice,
  wordTable,
} from '../../ir/index.ts';
import {
  objectAt,
  optionalArray,
  optionalObject,
  optionalString,
  optionalStrings,
  requiredString,
  unknownMembers,
} from '../../wire/fields.ts';
import { DIALECT, normal, residueOf, TOOL_NAME_RULE, withResidue } from './dialect.ts';
import { fromGoogleSchema, toGoogleSchema, toPlainSchema } from './json-schema.ts';

/** Google's names of its own tools. */
const HOSTED: Readonly<Record<string, HostedTool>> = wordTable({
  googleSearch: 'web-search',
  googleSearchRetrieval: 'web-search',
  codeExecution: 'code-execution',
  urlContext: 'web-fetch',
  fileSearch: 'file-search',
  computerUse: 'computer',
});
const NAMES: { readonly [T in HostedTool]?: string } = {
  'web-search': 'googleSearch',
  'code-execution': 'codeExecution',
  'web-fetch': 'urlContext',
};

const DECLARATION: ReadonlySet<string> = new Set(['name', 'description', 'parameters', 'parametersJsonSchema']);

function decodeDeclaration(raw: JsonObject, at: string): Tool {
  const declaration = normal(raw);
  const name = requiredString(declaration, 'name', at);
  const description = optionalString(declaration, 'description', at);
  const plain = optionalObject(declaration, 'parametersJsonSchema', at);
  const google = optionalObject(declaration, 'parameters', at);
  const parameters = plain ?? (google && fromGoogleSchema(google));
  return {
    kind: 'function',
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters ? { parameters } : {}),
    ...withResidue(unknownMembers(declaration, DECLARATION)),
  };
}

/** One entry of `tools` may hold function declarations and several of Google's own tools. */
function decodeEntry(raw: JsonObject, at: string): readonly Tool[] {
  const entry = normal(raw);
  const tools: Tool[] = (optionalArray(entry, 'functionDeclarations', at) ?? []).map((one, index) =>
    decodeDeclaration(objectAt(one, `${at}.functionDeclarations[${index}]`), `${at}.functionDeclarations[${index}]`),
  );
  for (const [name, value] of Object.entries(entry)) {
    if (name === 'functionDeclarations') continue;
    const definition: HostedToolDefinition = {
      kind: 'hosted',
      tool: HOSTED[name] ?? 'other',
      name,
      native: { by: DIALECT, value: { [name]: value } },
    };
    const excluded =
      isObject(value) && Array.isArray(value['excludeDomains'])
        ? value['excludeDomains'].filter((one): one is string => typeof one === 'string')
        : [];
    tools.push(excluded.length > 0 ? { ...definition, blockedDomains: excluded } : definition);
  }
  return tools;
}

/** The tools of a request. */
export const decodeTools = (body: JsonObject): readonly Tool[] =>
  (optionalArray(body, 'tools') ?? []).flatMap((one, index) => decodeEntry(objectAt(one, `tools[${index}]`), `tools[${index}]`));

const MODES: Readonly<Record<string, 'auto' | 'none' | 'required'>> = wordTable({
  AUTO: 'auto',
  NONE: 'none',
  ANY: 'required',
  VALIDATED: 'auto',
});

/** `toolConfig.functionCallingConfig`; what else the tool config holds is residue. */
export function decodeToolChoice(body: JsonObject): { readonly toolChoice?: ToolChoice; readonly rest: JsonObject } {
  const raw = optionalObject(body, 'toolConfig');
  if (!raw) return { rest: {} };
  const { functionCallingConfig, ...others } = normal(raw);
  const config = isObject(functionCallingConfig) ? normal(functionCallingConfig) : {};
  const { mode: told, allowedFunctionNames, ...more } = config;
  // To hold calls to their schemas without naming any is a wish that no other dialect has.
  const calling = told === 'VALIDATED' && allowedFunctionNames === undefined ? { ...more, mode: told } : more;
  const kept = { ...others, ...(Object.keys(calling).length > 0 ? { functionCallingConfig: calling } : {}) };
  const rest = Object.keys(kept).length > 0 ? { toolConfig: kept } : {};
  const word = optionalString(config, 'mode', 'toolConfig.functionCallingConfig');
  const names = optionalStrings(config, 'allowedFunctionNames', 'toolConfig.functionCallingConfig') ?? [];
  const mode = MODES[word?.toUpperCase() ?? 'AUTO'] ?? 'auto';
  const [only] = names;
  if (names.length === 1 && only !== undefined && mode === 'required') return { toolChoice: { type: 'tool', name: only }, rest };
  if (names.length > 0 && mode !== 'none') return { toolChoice: { type: 'allowed', mode, names }, rest };
  return word === undefined ? { rest } : { toolChoice: { type: mode }, rest };
}

function encodeDeclaration(
  tool: Extract<Tool, { kind: 'function' | 'custom' }>,
  own: boolean,
  facts: TargetFacts,
  notes: Notes,
): JsonObject {
  const name = targetToolName(tool, TOOL_NAME_RULE);
  const description = tool.description === undefined ? {} : { description: tool.description };
  if (tool.kind === 'custom') {
    notes.add('tools', 'approximated', 'a free-text tool became a function with one string');
    const schema: JsonObject = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] };
    return {
      name,
      ...description,
      ...(facts.jsonSchemaFields ? { parametersJsonSchema: schema } : { parameters: toGoogleSchema(schema, 'tools', notes) }),
    };
  }
  if (tool.strict) notes.add(`tools.${tool.name}.strict`, 'dropped', 'the target does not hold tools to their schema');
  const schema = tool.parameters;
  const takesNothing =
    !schema ||
    (Object.keys(schema).length > 0 &&
      isObject(schema['properties']) &&
      Object.keys(schema['properties']).length === 0 &&
      !facts.jsonSchemaFields);
  const parameters =
    takesNothing || !schema
      ? {}
      : facts.jsonSchemaFields
        ? { parametersJsonSchema: own ? schema : toPlainSchema(schema, `tools.${tool.name}.parameters`, notes) }
        : { parameters: toGoogleSchema(schema, 'tools', notes) };
  return { ...residueOf(tool), name, ...description, ...parameters };
}

function encodeHosted(tool: HostedToolDefinition, facts: TargetFacts): JsonObject {
  if (tool.native.by === DIALECT) return tool.native.value;
  const name = NAMES[tool.tool];
  if (name === undefined || !facts.hostedTools.includes(tool.tool)) {
    throw badField(
      'tools',
      `The target has no tool like '${tool.name}' of its own. Leave it out, or choose a model that has it`,
      'unsupported_tool',
    );
  }
  const domains = tool.blockedDomains && tool.tool === 'web-search' ? { excludeDomains: tool.blockedDomains } : {};
  return { [name]: domains };
}

/** Tools as this dialect takes them; what it has not is noted. */
/** `own`: read off this dialect, and as its maker takes them. */
export function encodeTools(tools: readonly Tool[], own: boolean, facts: TargetFacts, notes: Notes): readonly JsonObject[] {
  const declarations: JsonObject[] = [];
  const entries: JsonObject[] = [];
  for (const tool of toldTools(tools, DIALECT, notes)) {
    if (tool.kind === 'hosted') {
      entries.push(encodeHosted(tool, facts));
      if (tool.allowedDomains) notes.add('tools', 'dropped', 'allowed domains cannot be named to the target');
    } else declarations.push(encodeDeclaration(tool, own, facts, notes));
  }
  return declarations.length > 0 ? [{ functionDeclarations: declarations }, ...entries] : entries;
}

const nameOf = (choice: { readonly name: string; readonly namespace?: string }): string => targetToolName(choice, TOOL_NAME_RULE);

/** Whether and which tools must be called, as `functionCallingConfig`. */
export function encodeToolChoice(choice: ToolChoice | undefined, notes: Notes): JsonObject | undefined {
  switch (choice?.type) {
    case undefined:
      return undefined;
    case 'auto':
      return { mode: 'AUTO' };
    case 'none':
      return { mode: 'NONE' };
    case 'required':
      return { mode: 'ANY' };
    case 'tool':
      return { mode: 'ANY', allowedFunctionNames: [nameOf(choice)] };
    case 'allowed':
      if (choice.mode === 'required') return { mode: 'ANY', allowedFunctionNames: choice.names.map((name) => nameOf({ name })) };
      return { mode: 'VALIDATED', allowedFunctionNames: choice.names.map((name) => nameOf({ name })) };
    case 'hosted':
      notes.add('tool_choice', 'approximated', 'a tool of the provider cannot be forced');
      return { mode: 'AUTO' };
  }
}
