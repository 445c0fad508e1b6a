import type { JsonObject, Notes } from '../../ir/index.ts';
import type { RerankRequest } from './shape.ts';

/** Members that are not known here: for a target of their own dialect they pass, for others they are noted. */
export function restFor(codec: string, { rest = {}, dialect }: RerankRequest, notes: Notes): JsonObject {
  if (codec === dialect) return rest;
  for (const name of Object.keys(rest)) notes.add(name, 'dropped', 'not known here, and the target speaks another dialect');
  return {};
}
