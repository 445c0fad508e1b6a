import type { TargetFacts } from './target.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** 106 bits of a string, mixed as cyrb53 does (public domain, bryc); enough to keep the ids of one conversation apart. */
function digest(text: string): string {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  let c = 0x9e3779b9;
  let d = 0x85ebca6b;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
    c = Math.imul(c ^ unit, 2246822519);
    d = Math.imul(d ^ unit, 3266489917);
  }
  let out = '';
  for (let word of [a ^ (b >>> 15), b ^ (c >>> 13), c ^ (d >>> 16), d ^ (a >>> 14)]) {
    word >>>= 0;
    for (let i = 0; i < 6; i++) {
      out += ALPHABET[word % 62];
      word = Math.floor(word / 62);
    }
  }
  return out;
}

/**
 * The id under which a target is told of a tool call: the client's own where the target takes it, else one made from it.
 * The same id always gives the same one, so that calls and results match and cached prefixes stay equal; no state is kept.
 */
export function targetToolId(id: string, rule: TargetFacts['toolId']): string {
  const fits =
    id.length > 0 &&
    id.length <= rule.max &&
    (rule.exact === undefined || id.length === rule.exact) &&
    (rule.charset === 'any' || /^[a-zA-Z0-9_-]+$/.test(id));
  if (fits) return id;
  const made = digest(id);
  if (rule.exact !== undefined) return made.slice(0, rule.exact);
  return `call_${made}`.slice(0, rule.max);
}

/** Gives ids that the target takes, each once: some servers number the calls of every reply from nought. */
export function distinctToolIds(rule: TargetFacts['toolId']): (id: string) => string {
  const used = new Set<string>();
  return (id) => {
    const wanted = targetToolId(id, rule);
    let given = wanted;
    for (let n = 2; used.has(given); n++) given = `${wanted.slice(0, rule.max - 8)}_${n}`;
    used.add(given);
    return given;
  };
}
