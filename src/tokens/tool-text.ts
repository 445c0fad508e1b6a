import { isObject, type Json, type JsonObject, type Tool } from '../ir/index.ts';

/** How a model is shown its tools: as TypeScript declarations (OpenAI's models), or as JSON. */
export type ToolStyle = 'typescript' | 'json';

const asJson = (tool: Tool): string =>
  tool.kind === 'function'
    ? JSON.stringify({ name: tool.name, description: tool.description, parameters: tool.parameters })
    : JSON.stringify({ name: tool.name });

/** The members of an object, each after its description. */
function members(schema: JsonObject, indent: string): string {
  const { properties, required } = schema;
  if (!isObject(properties)) return '';
  const needed = new Set(Array.isArray(required) ? required : []);
  return Object.entries(properties)
    .map(([name, member]) => {
      const said = isObject(member) && typeof member['description'] === 'string' ? `${indent}// ${member['description']}\n` : '';
      return `${said}${indent}${name}${needed.has(name) ? '' : '?'}: ${typeText(member, indent)},\n`;
    })
    .join('');
}

function namedType(type: Json | undefined, schema: JsonObject, indent: string): string {
  switch (type) {
    case 'integer':
      return 'number';
    case 'array':
      return `${typeText(schema['items'], indent)}[]`;
    case 'object':
      return isObject(schema['properties']) ? `{\n${members(schema, `${indent}  `)}${indent}}` : 'object';
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return type;
    default:
      return 'any';
  }
}

/** A schema as a type, as far as declarations say it. */
function typeText(schema: Json | undefined, indent: string): string {
  if (!isObject(schema)) return 'any';
  const { enum: values, anyOf, oneOf, type } = schema;
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' | ');
  const choices = Array.isArray(anyOf) ? anyOf : oneOf;
  if (Array.isArray(choices)) return choices.map((choice) => typeText(choice, indent)).join(' | ');
  const types: readonly (Json | undefined)[] = Array.isArray(type) ? type : [type];
  return types.map((one) => namedType(one, schema, indent)).join(' | ');
}

function declaration(tool: Tool): string {
  if (tool.kind === 'hosted') return '';
  const said = tool.description === undefined ? '' : `// ${tool.description}\n`;
  const inside = tool.kind === 'function' && tool.parameters ? members(tool.parameters, '') : '';
  return `${said}type ${tool.name} = ${inside === '' ? '()' : `(_: {\n${inside}})`} => any;\n\n`;
}

/** The text that stands for tools in the prompt. */
export function toolText(tools: readonly Tool[], style: ToolStyle): readonly string[] {
  if (style === 'json') return tools.map(asJson);
  return [`namespace functions {\n\n${tools.map(declaration).join('')}} // namespace functions`];
}
