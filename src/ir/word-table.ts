/**
 * A table from words of a wire to ours. It has no members but its own: a word that a client or an upstream makes up
 * (`constructor`, `__proto__`) finds nothing in it.
 */
export const wordTable = <T>(table: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
  Object.assign(Object.create(null) as Record<string, T>, table);
