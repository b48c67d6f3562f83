// Starts the worker and brings the rest of its code. The build (xtask/src/dist/worker.rs) puts this after wasm-bindgen's
// glue, into one module, and the names of the two files in the place of those here. `wasm` is the glue's: the exports of
// the first part, which the rest imports under the name `f`.
const FIRST = new URL("worker.wasm", import.meta.url);
const REST = new URL("worker-rest.wasm", import.meta.url);

/** The rest is here. */
let whole = false;
/** The promise of the rest, once somebody asked for it. */
let coming;

globalThis.kubonsaiFetchRest = () => (coming ??= fetchRest());

async function fetchRest() {
  if (whole) return;
  try {
    const answer = fetch(REST);
    const module = await WebAssembly.compileStreaming(answer).catch(async () => {
      // A host that does not know the type of .wasm files.
      return WebAssembly.compile(await (await fetch(REST)).arrayBuffer());
    });
    join(module);
  } catch (error) {
    // Whoever needs it asks again, and hears why it does not come.
    coming = undefined;
    console.warn("the rest of the worker is not here yet:", error);
  }
}

globalThis.kubonsaiLoadRest = () => {
  if (whole) return;
  const request = new XMLHttpRequest();
  request.open("GET", REST, false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200) throw new Error(`${REST}: HTTP status ${request.status}`);
  join(new WebAssembly.Module(request.response));
};

/** Makes the rest part of the program. Instances of two modules of this size take no time worth an await. */
function join(module) {
  if (whole) return;
  new WebAssembly.Instance(module, { f: wasm });
  whole = true;
}

await __wbg_init({ module_or_path: FIRST });
