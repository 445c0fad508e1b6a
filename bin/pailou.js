#!/usr/bin/env node
// Runs on any Node, to say what is wrong where it is too old. Everything else is in dist/.
var wanted = [24, 18];
var found = process.versions.node.split('.').map(Number);
if (found[0] > wanted[0] || (found[0] === wanted[0] && found[1] >= wanted[1])) {
  import('../dist/main.js').catch(function (error) {
    process.stderr.write((error && error.stack ? error.stack : String(error)) + '\n');
    process.exitCode = 1;
  });
} else {
  var chinese = /^zh/i.test(process.env.PAILOU_LANG || process.env.LC_ALL || process.env.LANG || '');
  process.stderr.write(
    chinese
      ? 'Pailou 需要 Node 24.18 或更新版本，当前为 ' + process.versions.node + '：请从 https://nodejs.org 升级\n'
      : 'Pailou needs Node 24.18 or newer; this is ' + process.versions.node + ': update it from https://nodejs.org\n',
  );
  process.exitCode = 1;
}
