// Answers of ONNX Runtime, for export_test. Usage: NODE_PATH=third_party/npm node run_onnx.js JOBS
// JOBS is a JSON file: [{model: FILE, inputs: {NAME: {type, dims, data}}}]. Prints, for each, the
// output forecasts as {dims, data}.
const fs = require("node:fs");
const ort = require("onnxruntime-node");

function tensorOf({ type, dims, data }) {
  const values = type === "int64" ? BigInt64Array.from(data, BigInt) : Float32Array.from(data);
  return new ort.Tensor(type, values, dims);
}

async function answer({ model, inputs }) {
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1 });
  const feeds = {};
  for (const [name, input] of Object.entries(inputs)) feeds[name] = tensorOf(input);
  const { forecasts } = await session.run(feeds);
  return { dims: forecasts.dims, data: Array.from(forecasts.data) };
}

async function main() {
  const answers = [];
  for (const job of JSON.parse(fs.readFileSync(process.argv[2]))) answers.push(await answer(job));
  console.log(JSON.stringify(answers));
}

main();
