// Starts the worker and brings further parts of its code. The build (xtask/src/dist/worker.rs) puts this after wasm-bindgen's
// glue, into one module, and the names of the files in the place of those here. `wasm` is the glue's: the exports of
// the first part, which the others import under the name `f`.
const FIRST = new URL("worker.wasm", import.meta.url);
/** The others by their numbers, in the order of xtask/src/split/rules.rs. */
const PARTS = [
  FIRST,
  // What every cluster and every command needs.
  new URL("worker-rest.wasm", import.meta.url),
  // What no lesson of the Basics does.
  new URL("worker-rare.wasm", import.meta.url),
  // What only clusters with rules in CEL need.
  new URL("worker-policies.wasm", import.meta.url),
  // docker and images of one's own.
  new URL("worker-images.wasm", import.meta.url),
];
const REST = 1;

/** The parts that are here. */
const here = new Set();
/** The promise of the rest, once somebody asked for it. */
let coming;

globalThis.kubonsaiFetchRest = () => (coming ??= fetchRest());

async function fetchRest() {
  if (here.has(REST)) return;
  try {
    const answer = fetch(PARTS[REST]);
    const module = await WebAssembly.compileStreaming(answer).catch(async () => {
      // A host that does not know the type of .wasm files.
      return WebAssembly.compile(await (await fetch(PARTS[REST])).arrayBuffer());
    });
    join(REST, module);
  } catch (error) {
    // Whoever needs it asks again, and hears why it does not come.
    coming = undefined;
    console.warn("the rest of the worker is not here yet:", error);
  }
}

globalThis.kubonsaiLoadPart = (part) => {
  if (here.has(part)) return;
  const request = new XMLHttpRequest();
  request.open("GET", PARTS[part], false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200) throw new Error(`${PARTS[part]}: HTTP status ${request.status}`);
  join(part, new WebAssembly.Module(request.response));
};

/** Makes a part one of the program. Instances of modules of this size take no time worth an await. */
function join(part, module) {
  if (here.has(part)) return;
  new WebAssembly.Instance(module, { f: wasm });
  here.add(part);
}

await __wbg_init({ module_or_path: FIRST });
