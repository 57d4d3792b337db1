// usage: web.mjs FOLDER MODEL < FEEDS     FOLDER has node_modules/onnxruntime-web; feeds and outputs are JSON
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, path] = process.argv.slice(2);
const ort = createRequire(`${folder}/package.json`)("onnxruntime-web");
ort.env.logLevel = "error";
ort.env.wasm.numThreads = 1;

const kinds = { float32: Float32Array, float64: Float64Array };
const given = JSON.parse(readFileSync(0, "utf8"));
const feeds = {};
for (const [name, [kind, shape, data]] of Object.entries(given)) {
  const cells = kind === "string" ? data : kinds[kind].from(data, (number) => number ?? NaN);
  feeds[name] = new ort.Tensor(kind, cells, shape);
}

const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(path)));
const outputs = await session.run(feeds);
const made = Object.entries(outputs).map(([name, { dims, data }]) => [
  name,
  [dims, Array.from(data, (cell) => (typeof cell === "bigint" ? Number(cell) : cell))],
]);
process.stdout.write(JSON.stringify(Object.fromEntries(made)));
