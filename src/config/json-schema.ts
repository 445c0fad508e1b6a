import { fileShape } from './file-shape.ts';
import type { Shape } from './shape.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Anything but text may also come out of a variable or a file. */
const REFERENCE: Schema = { type: 'string', pattern: '\\$\\{(env|file):[^}]+\\}' };

const DURATION = '^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$';
const SIZE = '^\\d+(\\.\\d+)? ?([kKMGT]i?B|B)?$';

const orReference = (schema: Schema): Schema => ({ anyOf: [schema, REFERENCE] });

function objectSchema(shape: Shape & { readonly kind: 'object' }): Schema {
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(shape.fields).map(([name, field]) => [
        name,
        shape.required?.includes(name) ? described(field) : orNull(described(field)),
      ]),
    ),
    ...(shape.required ? { required: shape.required } : {}),
  };
}

/** What may be left out may be empty. */
function orNull({ description, 'x-description-zh': zh, examples, default: fallback, ...rest }: Schema): Schema {
  return {
    ...(description === undefined ? {} : { description, 'x-description-zh': zh }),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(examples === undefined ? {} : { examples }),
    anyOf: [...(Array.isArray(rest['anyOf']) ? rest['anyOf'] : [rest]), { type: 'null' }],
  };
}

function bare(shape: Shape): Schema {
  switch (shape.kind) {
    case 'text':
      return shape.pattern === undefined ? { type: 'string' } : orReference({ type: 'string', pattern: shape.pattern });
    case 'word':
      return orReference({ enum: shape.words });
    case 'number':
      return orReference({ type: 'integer', minimum: shape.min, maximum: shape.max });
    case 'flag':
      return orReference({ type: 'boolean' });
    case 'duration':
      return orReference({ type: 'string', pattern: DURATION });
    case 'size':
      return { anyOf: [{ type: 'string', pattern: SIZE }, { type: 'integer', minimum: shape.min }, REFERENCE] };
    case 'list':
      return { type: 'array', items: described(shape.of) };
    case 'map':
      return {
        type: 'object',
        additionalProperties: described(shape.of),
        ...(shape.keys ? { propertyNames: { enum: shape.keys } } : {}),
      };
    case 'object':
      return objectSchema(shape);
    case 'either':
      return { anyOf: shape.of.map(described) };
  }
}

function described(shape: Shape): Schema {
  const [description, chinese] = shape.doc;
  return {
    description,
    'x-description-zh': chinese,
    ...(shape.default === undefined ? {} : { default: shape.default }),
    ...(shape.examples ? { examples: shape.examples } : {}),
    ...bare(shape),
  };
}

/** The JSON Schema of the configuration file, for editors. Made of the same shape that files are checked by. */
export function configJsonSchema(): Schema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'pailou.yaml',
    ...described(fileShape),
  };
}

/** As it is written to `schema/v1.json` and printed by `pailou schema`. */
export const configJsonSchemaText = (): string => `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`;
