// Bundles the JavaScript of the page: node web/js/build.mjs <output folder>
//
// Each entry is one ES module, loaded when it is first needed, so that the editor does not delay the first prompt.
// The page finds them under js/ beside index.html: terminal.js, terminal.css, editor.js.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import path from "node:path";

const here = path.dirname(fileURLToPath(import.meta.url));
const [out] = process.argv.slice(2);
if (!out) {
  console.error("usage: node web/js/build.mjs <output folder>");
  process.exit(2);
}

await build({
  entryPoints: ["terminal", "editor"].map((name) => path.join(here, `${name}.js`)),
  outdir: out,
  bundle: true,
  format: "esm",
  // What every browser of the last two years runs.
  target: ["es2022"],
  minify: true,
  legalComments: "none",
  logLevel: "warning",
});
