// What a Node program does, in small: prints the same on every machine.
const crypto = require('crypto');
const fs = require('fs');
const { execFileSync } = require('child_process');
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const zlib = require('zlib');

function mix(rounds, seed) { // long enough for the optimizing compiler
  let h = seed | 0;
  for (let i = 0; i < rounds; i++) h = Math.imul(h ^ (i & 0xff), 16777619) + (h >>> 13) | 0;
  return h >>> 0;
}

if (!isMainThread) {
  parentPort.postMessage(mix(workerData.rounds, workerData.seed));
} else {
  main();
}

async function main() {
  console.log('float', Math.sin(1e10), 2 ** 0.5, 0.1 + 0.2, 7.5 % -2, 1 / -0, 1e21, (123.456).toFixed(1));
  console.log('bigint', (3n ** 200n % 1000000007n).toString(), BigInt.asIntN(64, 2n ** 63n).toString());
  console.log('loop', mix(3e6, 7));
  const objects = Array.from({ length: 20000 }, (_, i) => ({ key: 'k' + i * 7919 % 1009, value: i / 3 }));
  const groups = new Map();
  for (const { key, value } of objects) groups.set(key, (groups.get(key) ?? 0) + value);
  console.log('map', groups.size, [...groups.keys()].sort().slice(0, 3), groups.get('k5').toFixed(6));
  console.log('regex', 'x'.repeat(100).replace(/(x)(x)/g, '$2y$1').length, /(\d+)-(?<name>\w+)/.exec('12-peng').groups.name);
  console.log('hash', crypto.createHash('sha256').update('peng'.repeat(1000)).digest('hex'));
  console.log('cipher', crypto.createCipheriv('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(12)).update('text', 'utf8', 'hex'));
  console.log('zlib', zlib.inflateSync(zlib.deflateSync(Buffer.from('peng'.repeat(5000)))).length);
  console.log('json', JSON.stringify(JSON.parse('{"a":[1,2.5,null],"b":"\\u9e4f"}')));
  console.log('child', execFileSync('/bin/echo', ['hello']).toString().trim());
  fs.writeFileSync('/tmp/node.txt', 'written');
  console.log('file', (await fs.promises.readFile('/tmp/node.txt')).toString());
  const answers = await Promise.all([1, 2, 3, 4].map((seed) => new Promise((resolve, reject) => {
    new Worker(__filename, { workerData: { rounds: 200000, seed } }).on('message', resolve).on('error', reject);
  })));
  console.log('workers', answers.join(' '));
  console.log('wasm', await wasm());
  let garbage = [];
  for (let i = 0; i < 300000; i++) { garbage.push({ i }); if (i % 5000 === 0) garbage = []; }
  console.log('gc', garbage.length);
  process.on('SIGUSR2', () => { console.log('signal'); process.exit(6); });
  process.kill(process.pid, 'SIGUSR2');
  setTimeout(() => {}, 5000);
}

async function wasm() { // (func (export "f") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
  const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0,
    10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11]);
  return (await WebAssembly.instantiate(bytes)).instance.exports.f(40, 2);
}
