// Figures of the built page: node tests/e2e/bench.mjs <dist>
//
// The page calls performance.mark("prompt") when the first prompt can be typed at; times count from navigation.
import { chromium } from "playwright-core";
import { readdirSync, readFileSync } from "node:fs";
import { amount as megabytes, isEarly, isOnDemand, isSent, sizes, TOTAL_BYTES_MAX, PROMPT_BYTES_MAX } from "../../xtask/sizes.mjs";
import { startAlone } from "./alone.mjs";
import { launchOptions, required } from "./chromium.mjs";
import { openLesson, playLesson, prompt } from "./learner.mjs";

const PROMPT_SECONDS_MAX = 20;
const IDLE_SECONDS = 20;
/** Until the browser has compiled and tidied up what was just used. */
const SETTLE_SECONDS = 5;
const WARM_RUNS = 5;
const CLOCK_TICKS_PER_SECOND = 100;
const KEY_MILLISECONDS = 40;
const COMMANDS_TYPED = 40;
const RESTORE_RUNS = 5;
/** The longest lesson. */
const LONG_LESSON = "update-app";
/** The lesson whose prompt is waited for: the first of the catalogue. */
const FIRST_LESSON = "#/kubernetes-basics/create-cluster";

const [dist] = process.argv.slice(2);
const url = required("KUBONSAI_URL");

const line = (figure, value, target = "") =>
  console.log(`${figure.padEnd(44)} ${String(value).padEnd(22)}${target && `target ${target}`}`);
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const milliseconds = (value) => `${Math.round(value)} ms`;

/** Opens the page and waits for the prompt: milliseconds since navigation and since 1970, or null. */
async function toPrompt(page) {
  const mark = () => performance.getEntriesByName("prompt").length > 0;
  // From elsewhere: an address that differs behind # alone would not load the page again.
  await page.goto("about:blank");
  await page.goto(url + FIRST_LESSON);
  try {
    await page.waitForFunction(mark, undefined, { timeout: PROMPT_SECONDS_MAX * 1000 });
  } catch {
    return null;
  }
  return page.evaluate(() => {
    const { startTime } = performance.getEntriesByName("prompt")[0];
    return { taken: startTime, at: performance.timeOrigin + startTime };
  });
}

/** The browser's processes: process id, parent, command line, processor ticks, resident bytes. */
function processes(root) {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      const memory = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8").match(/^Pss:\s+(\d+)/m);
      const ticks = Number(fields[11]) + Number(fields[12]);
      return [{ pid: Number(pid), parent: Number(fields[1]), command, ticks, bytes: Number(memory?.[1] ?? 0) * 1024 }];
    } catch {
      return []; // it ended while we looked
    }
  });
  const family = new Set([root]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, parent } of all) {
      if (family.has(parent) && !family.has(pid)) {
        family.add(pid);
        grown = true;
      }
    }
  }
  return all.filter(({ pid, command }) => family.has(pid) && command.includes("--type=renderer"));
}

/** The largest renderer is the page's; Chromium keeps an empty one in reserve. */
const largest = (list) => Math.max(...list.map(({ bytes }) => bytes));

/** What the tab uses while nothing happens: share of a processor in percent, bytes. */
async function idle(pid) {
  await sleep(SETTLE_SECONDS);
  const before = processes(pid);
  await sleep(IDLE_SECONDS);
  const after = processes(pid);
  const ticks = (list) => list.reduce((sum, { ticks }) => sum + ticks, 0);
  const percent = ((ticks(after) - ticks(before)) / CLOCK_TICKS_PER_SECOND / IDLE_SECONDS) * 100;
  return { percent, bytes: largest(after) };
}

/** Milliseconds from the Enter key to the prompt after `kubectl get pods`, as the page's terminal shows it, sorted. */
async function typedCommands(page) {
  await page.locator(".terminals [role=tab]").first().click();
  await page.locator(".screen:not(.hidden) .xterm-helper-textarea").focus();
  const times = [];
  for (let run = 0; run < COMMANDS_TYPED; run += 1) {
    // As fast as people type: keys all at once would queue for the screen, and be measured with the answer.
    await page.keyboard.type("clear; kubectl get pods", { delay: KEY_MILLISECONDS });
    times.push(
      await page.evaluate(async () => {
        const rows = document.querySelector(".screen:not(.hidden) .xterm-rows");
        const area = document.querySelector(".screen:not(.hidden) .xterm-helper-textarea");
        const done = () => /AGE[\s\S]*\$\s*$/.test(rows.innerText) && !rows.innerText.includes("get pods");
        const began = performance.now();
        const ended = new Promise((resolve) => {
          const watcher = new MutationObserver(() => {
            if (done()) {
              watcher.disconnect();
              resolve(performance.now() - began);
            }
          });
          watcher.observe(rows, { subtree: true, childList: true, characterData: true });
        });
        area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", code: "Enter", keyCode: 13, bubbles: true }));
        return Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5000, NaN))]);
      }),
    );
    await prompt(page);
  }
  return times.sort((a, b) => a - b);
}

/** Reloads a page with a whole lesson in it: milliseconds from the reload until one can go on working, sorted. */
async function restores(page) {
  const times = [];
  for (let run = 0; run < RESTORE_RUNS; run += 1) {
    await page.reload();
    const mark = () => performance.getEntriesByName("live").at(-1)?.startTime;
    times.push(await (await page.waitForFunction(mark)).jsonValue());
    await sleep(SETTLE_SECONDS);
  }
  return times.sort((a, b) => a - b);
}

/** Bytes of an empty page, and of the tab after the lesson, when nothing drives them. */
async function undriven() {
  const alone = await startAlone();
  try {
    const empty = await idle(alone.pid);
    const { page, letGo } = await alone.connect();
    await openLesson(page, url, "deploy-app");
    await playLesson(page);
    await letGo();
    return { empty: empty.bytes, bytes: (await idle(alone.pid)).bytes };
  } finally {
    await alone.close();
  }
}

const server = await chromium.launchServer(launchOptions());
const browser = await chromium.connect(server.wsEndpoint());
// Without the service worker: it keeps the files that the browser has already, and would be counted as a second visit.
const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, serviceWorkers: "block" });
const page = await context.newPage();
await page.goto("about:blank");
// What a browser does for a page of nothing is not ours.
const blank = await idle(server.process().pid);
const empty = blank.bytes;
const ours = ({ percent }) => `${Math.max(0, percent - blank.percent).toFixed(2)} %`;
const emptyShare = `about 0 % (beyond an empty page's ${blank.percent.toFixed(2)} %)`;
const requested = [];
context.on("request", (request) => requested.push(request));

const cold = await toPrompt(page);
// A request that has no time of its own yet counts as made before the prompt.
const untilPrompt = requested.filter((request) => cold === null || request.timing().startTime <= cold.at);
const early = new Set(untilPrompt.map((request) => request.url()));
const sent = await sizes(dist);
const total = (paths) => paths.reduce((sum, file) => sum + (sent.get(file)?.sent ?? 0), 0);
const all = [...sent.keys()].filter(isSent);

for (const file of all.filter((file) => file.endsWith(".wasm") || file.startsWith("js/")).sort()) {
  line(`size of ${file}`, `${megabytes(sent.get(file).sent)} brotli`, "");
}
if ([...early].some((address) => address.includes("worker-rest"))) {
  line("the rest of the worker", "wanted before the first prompt", "later: see xtask/src/split/rules.rs");
}
if (cold === null) {
  for (const figure of ["bytes to the first prompt", "time to prompt, cold", "time to prompt, warm"]) {
    line(figure, `not measured: the page made no performance mark "prompt" in ${PROMPT_SECONDS_MAX} s`);
  }
} else {
  const files = [...early].map((address) => new URL(address).pathname.slice(1) || "index.html");
  line("bytes to the first prompt (brotli)", megabytes(total(files)), megabytes(PROMPT_BYTES_MAX));
  // `cargo xtask dist` tells early files by their names: say so when that is not what happens.
  const unexpected = files.filter((file) => sent.has(file) && !isEarly(file));
  const unused = all.filter((file) => isEarly(file) && !files.includes(file));
  for (const [words, list] of [["sent before the prompt, not expected", unexpected], ["expected before the prompt, not sent", unused]]) {
    if (list.length > 0) line(words, list.join(" "), "xtask/sizes.mjs");
  }
  line("time to prompt, cold", milliseconds(cold.taken), "2500 ms");
  const warm = [];
  for (let run = 0; run < WARM_RUNS; run += 1) {
    warm.push((await toPrompt(page))?.taken ?? NaN);
  }
  warm.sort((a, b) => a - b);
  line(`time to prompt, warm (median of ${WARM_RUNS})`, milliseconds(warm[Math.floor(WARM_RUNS / 2)]), "1000 ms");
}
const onDemand = all.filter(isOnDemand);
const images = onDemand.filter((file) => file.startsWith("images/"));
line("bytes in all without what comes on demand (brotli)", megabytes(total(all) - total(onDemand)), megabytes(TOTAL_BYTES_MAX));
line("bytes of code on demand (brotli)", megabytes(total(onDemand) - total(images)));
line("bytes of images (brotli or as they are)", megabytes(total(images)));

const started = await idle(server.process().pid);
line("memory of the tab after start", megabytes(started.bytes), `empty page: ${megabytes(empty)}`);
line("processor use of the tab while idle", ours(started), emptyShare);
await openLesson(page, url, "deploy-app");
await playLesson(page);
const learned = await idle(server.process().pid);
line("memory of the tab after the lesson", megabytes(learned.bytes), `150 MB (empty page: ${megabytes(empty)})`);
line("processor use with a cluster, idle", ours(learned), emptyShare);
const times = await typedCommands(page);
const percentile = (share) => milliseconds(times[Math.min(times.length - 1, Math.floor(times.length * share))]);
line("kubectl get pods typed in the tab, p50/p95", `${percentile(0.5)} / ${percentile(0.95)}`, "30 ms (p95)");
const after = await idle(server.process().pid);
line(`memory after ${COMMANDS_TYPED} commands more`, megabytes(after.bytes));
// Without what the page has dropped and the browser has not collected yet.
const devtools = await context.newCDPSession(page);
await devtools.send("HeapProfiler.collectGarbage");
await sleep(1);
line("and after garbage collection", megabytes(largest(processes(server.process().pid))));
await context.close();
const own = await undriven();
line("memory after the lesson, undriven", megabytes(own.bytes), `150 MB (empty page: ${megabytes(own.empty)})`);

// As a learner has it: with the service worker.
const learner = await browser.newContext({ viewport: { width: 1280, height: 720 } });
const long = await learner.newPage();
await openLesson(long, url, LONG_LESSON);
await playLesson(long);
await sleep(SETTLE_SECONDS);
const again = await restores(long);
line(`a whole lesson after a reload (median of ${RESTORE_RUNS})`, milliseconds(again[Math.floor(RESTORE_RUNS / 2)]), "1000 ms");
await browser.close();
await server.close();
