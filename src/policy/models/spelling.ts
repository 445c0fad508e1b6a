/** Where a cloud says of a model in which part of the world it runs: `us.anthropic.…`, `global.openai.…`. */
const AREA = /^(?:us|eu|apac|au|jp|in|ca|sa|us-gov|global)\.(?=[a-z0-9-]+\.)/;

/** A version of a cloud's own: `…-v1:0`. */
const VERSION = /(?:-v\d+)?:\d+$/;

/** A date, or the word for the newest: `-2025-08-07`, `-20250929`, `@20250929`, `-250615`, `-latest`. */
const DATE = /(?:[-@]20\d\d-?\d\d-?\d\d|-2[3-9]\d{4}|-latest)$/;

/** An id as it is looked up: in small letters, then less and less of what does not tell one model from another. */
export function spellingsOf(id: string): readonly string[] {
  const whole = id.toLowerCase();
  const anywhere = whole.replace(AREA, '');
  const unversioned = anywhere.replace(VERSION, '');
  return [...new Set([whole, anywhere, unversioned, unversioned.replace(DATE, '')])];
}
