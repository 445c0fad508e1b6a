import { ulid } from '../src/http/new-id.ts';
import { clientCodecs } from '../src/protocols/index.ts';
import { createSandbox, type SandboxUpstream } from '../src/sandbox/sandbox.ts';

export { sandboxModels } from '../src/sandbox/sandbox.ts';

/** The built-in provider on real timers. */
export const createTestSandbox = (): SandboxUpstream =>
  createSandbox({
    now: () => Date.now(),
    newId: (prefix) => prefix + ulid(Date.now()).toLowerCase(),
    setTimer(run, milliseconds) {
      const timer = setTimeout(run, milliseconds);
      return () => clearTimeout(timer);
    },
    codecs: clientCodecs,
  });
