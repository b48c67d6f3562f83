// The end-to-end tests: node tests/e2e/run.mjs [part of a test's name]
//
// A spec is a file *.spec.mjs whose default export is a list of tests:
//   { name, async run({ page, url, subPathUrl, context, shot }), options?, seconds? }
// `options` goes to the browser context (viewport, locale, colorScheme, ...), so each test has a fresh profile. Service
// workers are off unless they say otherwise: what a test puts in the place of a file must reach the page.
// `shot(name)` keeps a screenshot in tests/e2e/out/. An error on the page's console, an uncaught error or a request
// that leaves loopback fails the test; `allow: [/pattern/]` in a test names the console errors it expects.
import { chromium } from "playwright-core";
import { mkdir, readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { launchOptions, required } from "./chromium.mjs";

const TEST_SECONDS_MAX = 120;
const STEP_SECONDS_MAX = 30;

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, "out");
const only = process.argv[2] ?? "";

async function tests() {
  const files = (await readdir(here)).filter((file) => file.endsWith(".spec.mjs")).sort();
  const found = [];
  for (const file of files) {
    const spec = await import(path.join(here, file));
    found.push(...spec.default.map((test) => ({ ...test, file })));
  }
  return found.filter((test) => test.name.includes(only));
}

/** Watches a context for everything that a healthy page does not do. */
function watch(context, allowed) {
  const problems = [];
  context.on("console", (message) => {
    if (message.type() === "error" && !allowed.some((pattern) => pattern.test(message.text()))) {
      problems.push(`console error: ${message.text()}`);
    }
  });
  context.on("weberror", (error) => problems.push(`uncaught: ${error.error()}`));
  const foreign = new Set();
  context.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (["http:", "https:", "ws:", "wss:"].includes(protocol) && hostname !== "127.0.0.1") {
      foreign.add(request);
    }
  });
  // The protocol tells of a request that the page's policy stops before it is made, too: that one did not leave.
  context.on("requestfailed", (request) => {
    if (/csp|BLOCKED_BY_CSP/i.test(request.failure()?.errorText ?? "")) {
      foreign.delete(request);
    }
  });
  const left = () => [...foreign].map((request) => `a request left this machine: ${request.url()} (${request.failure()?.errorText ?? "no failure"})`);
  return () => [...problems, ...left()];
}

function timeout(seconds) {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`took more than ${seconds} s`)), seconds * 1000).unref();
  });
}

async function runTest(browser, test) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, serviceWorkers: "block", ...test.options });
  context.setDefaultTimeout(STEP_SECONDS_MAX * 1000);
  const problems = watch(context, test.allow ?? []);
  const page = await context.newPage();
  const shot = (name, of = page) => of.screenshot({ path: path.join(out, `${name}.png`) });
  const url = required("KUBONSAI_URL");
  const subPathUrl = required("KUBONSAI_SUB_PATH_URL");
  try {
    await Promise.race([test.run({ page, context, url, subPathUrl, shot }), timeout(test.seconds ?? TEST_SECONDS_MAX)]);
    if (problems().length > 0) {
      throw new Error("the page did what a healthy page does not do");
    }
  } catch (error) {
    await shot(`failed ${test.name.replaceAll(/[^\w-]+/g, "-")}`).catch(() => {});
    throw new Error([error.stack, ...problems()].join("\n"));
  } finally {
    await context.close();
  }
}

await mkdir(out, { recursive: true });
const browser = await chromium.launch(launchOptions());
let passed = 0;
let failed = 0;
for (const test of await tests()) {
  const began = performance.now();
  const seconds = () => ((performance.now() - began) / 1000).toFixed(1);
  try {
    await runTest(browser, test);
    passed += 1;
    console.log(`ok      ${test.file}: ${test.name} (${seconds()} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${test.file}: ${test.name} (${seconds()} s)\n${error.message}`);
  }
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
