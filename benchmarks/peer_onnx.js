#!/usr/bin/env node
// The stylize works of benchmarks/train_step.cpp in ONNX Runtime (npm's onnxruntime-node), on a model and a picture that
// `peer_torch.py --export-onnx` wrote. Started by against_torch; prints lines like the other two programs.
//
// Usage: peer_onnx.js PACKAGE-FOLDER MODEL.onnx INPUT.raw SIZE THREADS WARM-UP SECONDS
const fs = require('fs');
const path = require('path');
const readline = require('readline');

const [folder, model, input, ...numbers] = process.argv.slice(2);
const [size, threads, warmUp, budget] = numbers.map(Number);
const ort = require(path.resolve(folder, 'node_modules/onnxruntime-node'));

function say(line) {
  console.log(JSON.stringify({...line, peak_mb: process.resourceUsage().maxRSS / 1024}));
}

async function main() {
  const session = await ort.InferenceSession.create(
      model, {intraOpNumThreads: threads, interOpNumThreads: 1, executionProviders: ['cpu']});
  const bytes = fs.readFileSync(input);
  const pixels = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const feeds = {[session.inputNames[0]]: new ort.Tensor('float32', pixels, [1, 3, size, size])};
  const run = async () => (await session.run(feeds))[session.outputNames[0]].data;
  const results = [];
  for (let i = 0; i < warmUp; ++i) {
    const painted = await run();
    let sum = 0;
    for (const value of painted) sum += value * value;
    results.push(sum / painted.length);
  }
  say({results});
  for await (const line of readline.createInterface({input: process.stdin})) {
    const begin = process.hrtime.bigint();
    let elapsed = 0, repetitions = 0;
    while (elapsed < budget || repetitions === 0) {
      await run();
      ++repetitions;
      elapsed = Number(process.hrtime.bigint() - begin) / 1e9;
    }
    say({seconds: elapsed / repetitions});
  }
}

main().catch(error => {
  console.error(`peer_onnx.js: ${error.message}`);
  process.exit(1);
});
