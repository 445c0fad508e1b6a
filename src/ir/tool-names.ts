import type { Tool } from './request.ts';
import { targetToolId } from './tool-ids.ts';

/** What a tool's name may look like on a wire: letters, digits, `_` and `-`, up to `max`. */
export interface ToolNameRule {
  readonly max: number;
  /** A name begins with a letter or `_` (Gemini). */
  readonly letterFirst?: boolean;
}

/**
 * The name under which a target is told of a tool: namespace and name joined by `__`, other characters replaced, long
 * names cut. A name that had to change ends in a digest, so that two never become one. The same tool always gives the
 * same name, so the way back needs no state: `toolsByTargetName`.
 */
export function targetToolName(tool: { readonly name: string; readonly namespace?: string }, rule: ToolNameRule): string {
  const whole = tool.namespace === undefined ? tool.name : `${tool.namespace}__${tool.name}`;
  const begins = rule.letterFirst !== true || /^[a-zA-Z_]/.test(whole);
  if (whole.length > 0 && whole.length <= rule.max && begins && /^[a-zA-Z0-9_-]+$/.test(whole)) return whole;
  const mark = targetToolId(whole, { max: 8, exact: 8, charset: 'word' });
  return `${begins ? '' : '_'}${whole.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, rule.max - 10)}_${mark}`;
}

/** The client's tools by the names that a target calls them by: what the encoder of a reply needs to name them back. */
export function toolsByTargetName(tools: readonly Tool[], rule: ToolNameRule): ReadonlyMap<string, Tool> {
  const byName = new Map<string, Tool>();
  for (const tool of tools) {
    if (tool.kind === 'hosted') continue;
    byName.set(targetToolName(tool, { ...rule, letterFirst: true }), tool);
    byName.set(targetToolName(tool, rule), tool);
  }
  return byName;
}
