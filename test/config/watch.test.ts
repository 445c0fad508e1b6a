import { appendFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Loaded, loadConfig } from '../../src/config/load.ts';
import type { Problem } from '../../src/config/problem.ts';
import { watchConfig, type WatchPorts } from '../../src/config/watch.ts';
import { linesOf, optionsIn, scratchFolder } from './scratch.ts';

const file = (port: number, more = ''): string => `version: 1\nserver: { port: ${port} }\n${more}`;

/** What a watcher says, in order, to be waited for. */
function createEar() {
  const heard: (Loaded | readonly Problem[])[] = [];
  let wake: () => void = () => undefined;
  return {
    heard,
    tell(one: Loaded | readonly Problem[]): void {
      heard.push(one);
      wake();
    },
    /** The n-th thing that is said. */
    async at(index: number): Promise<Loaded | readonly Problem[]> {
      for (;;) {
        const one = heard[index];
        if (one) return one;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

const portOf = (one: Loaded | readonly Problem[]): number | string => ('config' in one ? one.config.server.port : linesOf(one).join('\n'));

async function watching(folder: string, ports?: WatchPorts, env: Readonly<Record<string, string>> = {}) {
  const options = optionsIn(folder, { env, path: 'pailou.yaml' });
  const ear = createEar();
  const watcher = watchConfig(
    { loaded: await loadConfig(options), load: () => loadConfig(options), onChange: ear.tell, onInvalid: ear.tell },
    ports,
  );
  onTestFinished(() => watcher.close());
  return ear;
}

describe('a change of the file is taken over when it is', () => {
  const WAYS: readonly (readonly [name: string, change: (path: string) => void])[] = [
    ['written in place', (path) => writeFileSync(path, file(2))],
    ['written beside and renamed, as editors do', (path) => (writeFileSync(`${path}~`, file(2)), renameSync(`${path}~`, path))],
    ['removed and written again', (path) => (rmSync(path), writeFileSync(path, file(2)))],
    ['moved away as a backup, then written', (path) => (renameSync(path, `${path}.bak`), writeFileSync(path, file(2)))],
    ['written in pieces', (path) => (writeFileSync(path, 'version: 1\n'), appendFileSync(path, 'server: { port: 2 }\n'))],
  ];
  test.each(WAYS)('%s', async (_name, change) => {
    const folder = scratchFolder({ 'pailou.yaml': file(1) });
    const ear = await watching(folder);
    change(join(folder, 'pailou.yaml'));
    expect(portOf(await ear.at(0))).toBe(2);
  });

  test('swapped behind a link, as cluster mounts do', async () => {
    const folder = scratchFolder({ '..v1/pailou.yaml': file(1), '..v2/pailou.yaml': file(2) });
    symlinkSync('..v1', join(folder, '..data'));
    symlinkSync(join('..data', 'pailou.yaml'), join(folder, 'pailou.yaml'));
    const ear = await watching(folder);
    symlinkSync('..v2', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    rmSync(join(folder, '..v1'), { recursive: true });
    expect(portOf(await ear.at(0))).toBe(2);
  });

  test('a file that it takes a secret from, in another folder', async () => {
    const folder = scratchFolder({
      'secrets/key': 'pk-0123456789abcdef-1\n',
      'pailou.yaml': file(1, 'keys: [{ name: a, value: "${file:secrets/key}" }]\n'),
    });
    const ear = await watching(folder);
    writeFileSync(join(folder, 'secrets/key'), 'pk-0123456789abcdef-2\n');
    const fresh = await ear.at(0);
    expect('config' in fresh && fresh.config.keys[0]?.value).toBe('pk-0123456789abcdef-2');
  });
});

/** Ports that tests turn by hand: nothing waits for a real clock. */
function handPorts() {
  const folders: (() => void)[] = [];
  const timers = new Set<() => void>();
  let hangup: () => void = () => undefined;
  const ports: WatchPorts = {
    watchFolder(_folder, onChange) {
      folders.push(onChange);
      return { close: () => void folders.splice(folders.indexOf(onChange), 1) };
    },
    onHangup(onSignal) {
      hangup = onSignal;
      return { close: () => (hangup = () => undefined) };
    },
    later(run) {
      timers.add(run);
      return { close: () => void timers.delete(run) };
    },
  };
  return {
    ports,
    folders,
    timers,
    touch: () => folders.slice().forEach((one) => one()),
    settle: () => [...timers].forEach((run) => (timers.delete(run), run())),
    hangup: () => hangup(),
  };
}

describe('by hand', () => {
  test('SIGHUP loads again also where nothing changed in the file', async () => {
    const folder = scratchFolder({ 'pailou.yaml': 'version: 1\nserver: { port: "${env:P}" }\n' });
    const env = { P: '1' };
    const hands = handPorts();
    const ear = await watching(folder, hands.ports, env);
    env.P = '2';
    hands.hangup();
    expect(portOf(await ear.at(0))).toBe(2);
  });

  test('what changed between reading and watching is taken over', async () => {
    const folder = scratchFolder({ 'pailou.yaml': file(1) });
    const options = optionsIn(folder);
    const loaded = await loadConfig(options);
    writeFileSync(join(folder, 'pailou.yaml'), file(2));
    const hands = handPorts();
    const ear = createEar();
    const watcher = watchConfig({ loaded, load: () => loadConfig(options), onChange: ear.tell, onInvalid: ear.tell }, hands.ports);
    onTestFinished(() => watcher.close());
    hands.settle();
    expect(portOf(await ear.at(0))).toBe(2);
  });

  test('once it is closed, what is still being read changes nothing and watches nothing', async () => {
    const hands = handPorts();
    const ear = createEar();
    const options = optionsIn(scratchFolder({ 'pailou.yaml': file(1) }));
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const fresh = loadConfig(options);
    const load = () => held.then(() => fresh);
    const watcher = watchConfig({ loaded: await fresh, load, onChange: ear.tell, onInvalid: ear.tell }, hands.ports);
    hands.hangup();
    watcher.close();
    release();
    await new Promise(setImmediate);
    expect(ear.heard).toEqual([]);
    expect(hands.folders).toEqual([]);
  });

  test('several changes at once are one', async () => {
    const folder = scratchFolder({ 'pailou.yaml': file(1) });
    const hands = handPorts();
    const ear = await watching(folder, hands.ports);
    for (const port of [2, 3, 4]) {
      writeFileSync(join(folder, 'pailou.yaml'), file(port));
      hands.touch();
    }
    expect(hands.timers.size).toBe(1);
    hands.settle();
    expect(portOf(await ear.at(0))).toBe(4);
    hands.hangup();
    await ear.at(1);
    expect(ear.heard).toHaveLength(2);
  });

  test('other files of the folder, and a touch that changes nothing, are no change', async () => {
    const folder = scratchFolder({ 'pailou.yaml': file(1) });
    const hands = handPorts();
    const ear = await watching(folder, hands.ports);
    writeFileSync(join(folder, 'other.yaml'), 'x');
    writeFileSync(join(folder, 'pailou.yaml'), file(1));
    hands.touch();
    hands.settle();
    hands.hangup();
    expect(portOf(await ear.at(0))).toBe(1);
    expect(ear.heard).toHaveLength(1);
  });

  test('an invalid file changes nothing and says why; the next good one is taken', async () => {
    const folder = scratchFolder({ 'pailou.yaml': file(1) });
    const hands = handPorts();
    const ear = await watching(folder, hands.ports);
    const write = (text: string): void => {
      writeFileSync(join(folder, 'pailou.yaml'), text);
      hands.touch();
      hands.settle();
    };
    write('version: 1\nsever: { port: 2 }\n');
    expect(portOf(await ear.at(0))).toContain("pailou.yaml:2:1 sever: error: Unknown key 'sever'.");
    write(': : :');
    expect(portOf(await ear.at(1))).toContain('This is no valid YAML');
    rmSync(join(folder, 'pailou.yaml'));
    hands.touch();
    hands.settle();
    expect(portOf(await ear.at(2))).toContain('There is no file');
    write(file(3));
    expect(portOf(await ear.at(3))).toBe(3);
  });

  test('a configuration that cannot be taken over is told, and the watch goes on', async () => {
    const folder = scratchFolder({ 'pailou.yaml': file(1) });
    const hands = handPorts();
    const ear = createEar();
    const options = optionsIn(folder);
    let isRefusing = true;
    const watcher = watchConfig(
      {
        loaded: await loadConfig(options),
        load: () => loadConfig(options),
        onChange(loaded) {
          if (isRefusing) throw new Error('refused by the test');
          ear.tell(loaded);
        },
        onInvalid: ear.tell,
      },
      hands.ports,
    );
    hands.hangup();
    expect(portOf(await ear.at(0))).toContain('refused by the test');
    isRefusing = false;
    hands.hangup();
    expect(portOf(await ear.at(1))).toBe(1);
    watcher.close();
    expect(hands.folders).toEqual([]);
    expect(hands.timers.size).toBe(0);
  });
});
