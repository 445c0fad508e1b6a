import type { FactChanges, ProtocolId } from '../ir/index.ts';
import type { ModelRule } from './preset.ts';

/** Both spellings of a version where a glob leaves the sign open: `opus-4?7` is `opus-4-7` and `opus-4.7`. */
const spelled = (glob: string): readonly string[] => (glob.includes('?') ? [glob.replaceAll('?', '-'), glob.replaceAll('?', '.')] : [glob]);

/** The same facts for several globs; `?` in one stands for `-` or `.`. */
export const forModels = (globs: readonly string[], facts: FactChanges, on?: ProtocolId): readonly ModelRule[] =>
  globs.flatMap(spelled).map((match) => ({ match, facts, ...(on ? { on } : {}) }));
