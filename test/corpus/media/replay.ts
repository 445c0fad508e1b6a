import type { FakeUpstream } from '../../fakes/upstream.ts';
import type { TestServer } from '../../server.ts';
import { corpusFolder } from '../recordings.ts';

/** A gateway and the upstream that answers as it was recorded. */
export interface Stage {
  readonly server: TestServer;
  readonly upstream: FakeUpstream;
}

/** Ends a replay in which so many recordings failed: tells of defects, and closes both ends. Whether all was well. */
export async function end({ server, upstream }: Stage, failed: number): Promise<boolean> {
  for (const defect of server.defects) process.stdout.write(`✗ a defect: ${String(defect)}\n`);
  const isWell = failed + server.defects.length === 0;
  await server.close();
  await upstream.close();
  return isWell;
}

/** Runs a replay as a command, whose argument is part of the ids to replay; where no recordings are, it says so. The exit code tells how it went. */
export async function runReplay(replay: (corpus: string, only: string) => Promise<boolean>): Promise<void> {
  const corpus = corpusFolder();
  if (corpus === undefined) process.stdout.write('The recorded exchanges are not here ($PAILOU_CORPUS, ../shared/corpus)\n');
  else if (!(await replay(corpus, process.argv[2] ?? ''))) process.exitCode = 1;
}
