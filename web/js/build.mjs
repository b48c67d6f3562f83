// Bundles the JavaScript of the page: node web/js/build.mjs <output folder>
//
// Each entry is one ES module, loaded when it is first needed, so that the editor does not delay the first prompt.
// The page finds them under js/ beside index.html: terminal.js, terminal.css, editor.js.
import { build } from "esbuild";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import path from "node:path";

const here = path.dirname(fileURLToPath(import.meta.url));
const [out] = process.argv.slice(2);
if (!out) {
  console.error("usage: node web/js/build.mjs <output folder>");
  process.exit(2);
}

/** What the page's Content-Security-Policy does not allow in xterm.js, with what takes its place and how often it occurs. */
const INLINE_STYLES = [
  { found: /[\w$.]+\.createElement\("style"\)/g, instead: "adoptedStyle()", times: 3 },
  // The text of a style attribute; the properties behind it may be set.
  { found: /(\w)\.setAttribute\("style",(`[^`]*\$\{\w\.getAttribute\("style"\)\|\|""\}\$\{\w\};`)\)/g, instead: "$1.style.cssText=$2", times: 1 },
];

const withoutInlineStyles = {
  name: "without inline styles",
  setup({ onLoad }) {
    onLoad({ filter: /@xterm\/xterm\/lib\/xterm\.mjs$/ }, async ({ path: file }) => {
      let text = await readFile(file, "utf8");
      for (const { found, instead, times } of INLINE_STYLES) {
        const count = text.match(found)?.length ?? 0;
        if (count !== times) {
          return { errors: [{ text: `${file}: ${found} occurs ${count} times, not ${times}: look how it makes its styles now` }] };
        }
        text = text.replaceAll(found, instead);
      }
      const styles = JSON.stringify(path.join(here, "styles.js"));
      return { contents: `import { adoptedStyle } from ${styles};\n${text}`, loader: "js" };
    });
  },
};

await build({
  entryPoints: ["terminal", "editor"].map((name) => path.join(here, `${name}.js`)),
  outdir: out,
  bundle: true,
  plugins: [withoutInlineStyles],
  format: "esm",
  // What every browser of the last two years runs.
  target: ["es2022"],
  minify: true,
  legalComments: "none",
  logLevel: "warning",
});
