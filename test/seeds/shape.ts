/**
 * What an answer must hold: members that are not named may be there too. A word is a type (`text` is a string that is not
 * empty, `|` joins types, `=x` is the string x, `=1` the number 1), a list of one is a list of such with at least one.
 */
export type Shape = string | readonly [Shape] | { readonly [member: string]: Shape };

function isWord(value: unknown, word: string): boolean {
  if (word.startsWith('=')) return String(value) === word.slice(1);
  switch (word) {
    case 'text':
      return typeof value === 'string' && value.length > 0;
    case 'integer':
      return Number.isInteger(value);
    case 'null':
      return value === null;
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    default:
      return typeof value === word;
  }
}

/** What of a value does not have the shape: one sentence for each place. */
export function shapeProblems(value: unknown, shape: Shape, at = 'body'): readonly string[] {
  if (typeof shape === 'string') {
    return shape.split('|').some((word) => isWord(value, word)) ? [] : [`${at} is ${JSON.stringify(value)}, not ${shape}`];
  }
  if (Array.isArray(shape)) {
    if (!Array.isArray(value) || value.length === 0) return [`${at} is ${JSON.stringify(value)}, not a list of something`];
    return value.flatMap((one, index) => shapeProblems(one, shape[0] as Shape, `${at}[${index}]`));
  }
  if (!isWord(value, 'object')) return [`${at} is ${JSON.stringify(value)}, not an object`];
  return Object.entries(shape).flatMap(([member, inner]) =>
    Object.hasOwn(value as object, member)
      ? shapeProblems((value as Record<string, unknown>)[member], inner, `${at}.${member}`)
      : [`${at}.${member} is missing`],
  );
}
