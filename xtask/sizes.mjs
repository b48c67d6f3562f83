// What the built page weighs: node xtask/sizes.mjs <dist>
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

/** What may be sent until the first prompt, and in all without what comes on demand. */
export const PROMPT_BYTES_MAX = 1.2e6;
export const TOTAL_BYTES_MAX = 2.5e6;

/**
 * What the page asks for only after the first prompt: the rest of the worker, the editor, the prose of `kubectl explain`,
 * the stage of pages that pods serve, the copy for offline use, and every lesson but the one that is opened.
 * `cargo xtask bench` counts what it really asked for, and says so if that is something else.
 */
const LATER = /^(worker-rest-.*\.wasm|js\/editor\..*|api\/.*|stage\.html|sw\.js|tutorials\/.*\/(?!create-cluster\.).*)$/;
/** What a page asks for when something on it needs just that: docs/decisions/0018-code-on-demand.md. */
const ON_DEMAND = /^(images\/.*|js\/editor\..*|api\/.*|worker-(rare|policies|images)-.*\.wasm)$/;
/** What no browser asks for: what describes the build. */
const NEVER = /^build\.json$/;
/** Whether a file counts as sent before the first prompt. */
export const isEarly = (file) => isSent(file) && !isOnDemand(file) && !LATER.test(file);
/** Whether a file is counted apart: images, the editor, prose, and parts of the worker that no lesson of the Basics needs. */
export const isOnDemand = (file) => ON_DEMAND.test(file);
/** Whether a file is sent at all. */
export const isSent = (file) => !NEVER.test(file);

export const amount = (bytes) => (bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`);

/** Sizes by path: as they are, and as a good static host sends them. Blobs of images may be compressed already. */
export async function sizes(dist) {
  const found = new Map();
  const entries = await readdir(dist, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    const bytes = await readFile(file);
    const compressed = brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    });
    const sent = Math.min(bytes.length, compressed.length);
    found.set(path.relative(dist, file).replaceAll("\\", "/"), { raw: bytes.length, sent });
  }
  return found;
}

async function report(dist) {
  const found = await sizes(dist);
  const row = (name, raw, sent, target = "") =>
    console.log(`${name.padEnd(52)} ${amount(raw).padStart(10)} ${amount(sent).padStart(10)}${target && `  ${target}`}`);
  console.log(`${"file".padEnd(52)} ${"raw".padStart(10)} ${"brotli".padStart(10)}`);
  const isImage = (name) => name.startsWith("images/");
  const sum = (pick) => {
    const picked = [...found].filter(([name]) => pick(name)).map(([, size]) => size);
    return [picked.reduce((sum, { raw }) => sum + raw, 0), picked.reduce((sum, { sent }) => sum + sent, 0)];
  };
  for (const [name, { raw, sent }] of [...found].filter(([name]) => !isImage(name)).sort()) {
    row(name, raw, sent);
  }
  row("images", ...sum(isImage));
  row("to the first prompt", ...sum(isEarly), `target ${amount(PROMPT_BYTES_MAX)}`);
  row("in all without what comes on demand", ...sum((name) => isSent(name) && !isOnDemand(name)), `target ${amount(TOTAL_BYTES_MAX)}`);
  row("on demand", ...sum(isOnDemand));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [dist] = process.argv.slice(2);
  if (!dist) {
    console.error("usage: node xtask/sizes.mjs <dist>");
    process.exit(2);
  }
  await report(dist);
}
