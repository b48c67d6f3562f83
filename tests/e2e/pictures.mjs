// The pictures of README.md, made from the built page: node tests/e2e/pictures.mjs <folder>
//
// screenshot.png shows a lesson with the browser of the machine; rolling-update.gif shows a rolling update under visitors.
import { chromium } from "playwright-core";
import path from "node:path";
import { launchOptions, required } from "./chromium.mjs";
import { pixels, writeGif } from "./gif.mjs";
import { openLesson } from "./learner.mjs";

const GIF_BYTES_MAX = 1_500_000;
/** Time between two frames, in milliseconds. */
const FRAME_MS = 160;
/** Frames before the update and after its end. */
const BEFORE_FRAMES = 10;
const AFTER_FRAMES = 20;
const FRAMES_MAX = 250;
/** How long the end of the animation is looked at, in milliseconds. */
const END_MS = 3_000;
const LESSON = "update-app";
const V2 = "docker.io/jocatalin/kubernetes-bootcamp:v2";

const [folder] = process.argv.slice(2);
const url = required("KUBONSAI_URL");
const browser = await chromium.launch(launchOptions());

/** The lesson with visitors: the machine's browser asks the Service every second. */
async function visited(options, percent) {
  const context = await browser.newContext({ locale: "en-US", colorScheme: "light", serviceWorkers: "block", ...options });
  const page = await context.newPage();
  const preferences = { language: "en", theme: "light", lessonPercent: percent.lesson, terminalPercent: percent.dock, toured: true };
  await page.addInitScript((text) => localStorage.setItem("kubonsai.preferences", text), JSON.stringify(preferences));
  await openLesson(page, url, LESSON);
  for (let step = 0; step < 3; step += 1) {
    await page.locator("button.next").click();
  }
  await page.locator(".view-tab").filter({ hasText: "Browser" }).click();
  await page.locator(".places button").filter({ hasText: "Service kubernetes-bootcamp" }).click();
  await page.locator(".answered .page pre").waitFor();
  await page.click(".repeat");
  await page.waitForFunction(() => document.querySelectorAll(".who .strip-answers i").length >= 6);
  return page;
}

/** The second lesson, in the middle of things. */
async function screenshot(file) {
  const page = await visited({ viewport: { width: 1280, height: 720 }, deviceScaleFactor: 1.5 }, { lesson: 36, dock: 40 });
  await update(page);
  // In the middle: both versions answer.
  await page.waitForFunction(() => new Set([...document.querySelectorAll(".tally .image")].map((image) => image.textContent)).size > 1);
  await page.screenshot({ path: file });
  await page.context().close();
}

/** Gives the lesson's own command, and goes back to the browser. */
async function update(page) {
  await page.locator(".command .run").first().click();
  await page.locator(".view-tab").filter({ hasText: "Browser" }).click();
}

/** Four Pods of the new version run; the old ones take their time to leave. */
const over = () => {
  const ready = [...document.querySelectorAll(".pod.ready")].map((pod) => pod.getAttribute("aria-label"));
  return ready.length === 4 && ready.every((pod) => pod.includes("v2"));
};

/** From now on the page stands still, and `film(ms)` lets so much time pass: for the cluster, and for what moves. */
async function stop(page) {
  await page.locator(".clock button").first().click();
  await page.evaluate(() => {
    const still = new CSSStyleSheet();
    still.replaceSync("* { animation-play-state: paused !important; }");
    document.adoptedStyleSheets.push(still);
    const began = new Map();
    let now = 0;
    // What the page does later, such as taking off the map what has arrived, waits for the film, too.
    const { setTimeout: wait, clearTimeout: forget } = globalThis;
    const later = new Map();
    let last = 1e9;
    globalThis.setTimeout = (work, ms = 0, ...rest) => {
      if (ms < 100) return wait(work, ms, ...rest);
      last += 1;
      const id = last;
      later.set(id, { at: now + ms, work: () => work(...rest) });
      return id;
    };
    globalThis.clearTimeout = (id) => (later.delete(id) ? undefined : forget(id));
    globalThis.film = async (ms) => {
      const clock = document.querySelector(".clock button");
      clock.click();
      await new Promise((passed) => wait(passed, ms));
      clock.click();
      now += ms;
      for (const [id, { at, work }] of [...later]) {
        if (at <= now && later.delete(id)) work();
      }
      for (const animation of document.getAnimations().filter((each) => each instanceof CSSAnimation)) {
        // What appears does so faster than frames follow each other.
        if (animation.animationName === "appear") {
          animation.finish();
          continue;
        }
        if (!began.has(animation)) began.set(animation, now);
        animation.currentTime = now - began.get(animation);
      }
    };
  });
}

async function animation(file) {
  const page = await visited({ viewport: { width: 1060, height: 640 }, deviceScaleFactor: 0.85 }, { lesson: 30, dock: 38 });
  const blank = await page.context().newPage();
  await stop(page);
  const frames = [];
  const frame = async () => {
    await page.evaluate((ms) => globalThis.film(ms), FRAME_MS);
    frames.push({ ...(await pixels(blank, await page.screenshot())), ms: FRAME_MS });
  };
  for (let count = 0; count < BEFORE_FRAMES; count += 1) {
    await frame();
  }
  await update(page);
  for (let after = 0; after < AFTER_FRAMES; after += (await page.evaluate(over)) ? 1 : 0) {
    await frame();
    if (frames.length > FRAMES_MAX) {
      throw new Error("the update does not end");
    }
  }
  frames.at(-1).ms = END_MS;
  await page.context().close();
  const bytes = await writeGif(file, frames);
  console.log(`${file}: ${frames.length} frames, ${(bytes / 1e6).toFixed(2)} MB`);
  if (bytes > GIF_BYTES_MAX) {
    throw new Error(`${file} is too large`);
  }
}

await screenshot(path.join(folder, "screenshot.png"));
await animation(path.join(folder, "rolling-update.gif"));
await browser.close();
