// For everyone: axe-core finds nothing wrong in the states that a learner meets, in both themes and languages; the page
// is used by keyboard alone, by a screen reader, and without motion.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { focusTerminal, openLesson, prompt, screenShows, type } from "./learner.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Every violation of the page as it is, with the elements that it is about. */
async function violations(page) {
  // Evaluated, not put into the page as a script: its policy allows none of ours.
  await page.evaluate(axe);
  return page.evaluate(async (standards) => {
    const result = await globalThis.axe.run(
      // xterm.js draws its text for the eye and keeps another for screen readers.
      { include: [["html"]], exclude: [[".xterm-screen"]] },
      // An experiment of axe, off by default: names in the map say the same as its labels, in words instead of signs.
      { runOnly: standards, rules: { "label-content-name-mismatch": { enabled: false } } },
    );
    return result.violations.map(({ id, help, nodes }) => {
      const places = nodes.slice(0, 4).map((node) => `    ${node.html.slice(0, 160)}\n      ${node.failureSummary.split("\n").slice(1, 3).join(" ")}`);
      return `${id}: ${help} (${nodes.length})\n${places.join("\n")}`;
    });
  }, STANDARDS);
}

const lesson = (page, url) => openLesson(page, url, "deploy-app");

/** The states, each as far as it takes to get there. */
const STATES = {
  catalogue: async (page, url) => {
    await page.goto(url);
    await page.waitForSelector("[data-lesson]");
  },
  lesson,
  "lesson step": async (page, url) => {
    await lesson(page, url);
    await page.locator("button.next").click();
    await page.locator(".command .run").first().click();
    await page.waitForSelector('.check[data-reached="true"]', { timeout: 60_000 });
    await prompt(page);
  },
  inspector: async (page, url) => {
    await lesson(page, url);
    await page.locator(".room").first().focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector(".inspector");
    await page.waitForTimeout(300);
  },
  editor: async (page, url) => {
    await lesson(page, url);
    await type(page, "kubectl create configmap web --from-literal=a=1");
    await page.keyboard.type("kubectl edit configmap web\n");
    await page.waitForSelector(".editor .cm-content");
  },
  "session menu": async (page, url) => {
    await lesson(page, url);
    await page.locator(".session-menu > button").click();
  },
  "share dialog": async (page, url) => {
    await lesson(page, url);
    await type(page, "true");
    await page.locator(".session-menu > button").click();
    await page.locator(".session-menu .menu button").nth(1).click();
    await page.waitForSelector(".share");
  },
};

const LOOKS = [
  { locale: "en-US", colorScheme: "light" },
  { locale: "ja-JP", colorScheme: "dark" },
];

const narrow = { viewport: { width: 390, height: 844 }, locale: "ja-JP", colorScheme: "light", hasTouch: true };

const test = (name, options) => ({
  name: `axe finds nothing: ${name}, ${options.locale.slice(0, 2)} ${options.colorScheme}${options.viewport ? " 390 px" : ""}`,
  options,
  async run({ page, url }) {
    await STATES[name](page, url);
    const found = await violations(page);
    if (found.length > 0) {
      throw new Error(found.join("\n"));
    }
  },
});

/** Goes on with the Tab key until something has the focus. */
async function tabTo(page, selector, { back = false } = {}) {
  for (let pressed = 0; pressed < 60; pressed += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) {
      return;
    }
    await page.keyboard.press(back ? "Shift+Tab" : "Tab");
  }
  throw new Error(`the Tab key does not lead to ${selector}`);
}

function assert(condition, words) {
  if (!condition) {
    throw new Error(words);
  }
}

const IMAGE = "gcr.io/google-samples/kubernetes-bootcamp:v1";

/** Names of the animations and properties of the transitions that ran while an app was deployed and visited. */
async function motions(page, url) {
  await openLesson(page, url, "deploy-app");
  await page.evaluate(() => {
    globalThis.motions = new Set();
    document.addEventListener("animationstart", (event) => globalThis.motions.add(event.animationName), true);
    const { animate } = Element.prototype;
    Element.prototype.animate = function (frames, options) {
      globalThis.motions.add(options.id);
      return animate.call(this, frames, options);
    };
    document.addEventListener("transitionrun", (event) => globalThis.motions.add(event.propertyName), true);
  });
  await type(page, `kubectl create deployment web --image=${IMAGE}`);
  await page.locator(".pod.ready").waitFor({ timeout: 60_000 });
  await type(page, "kubectl get pods");
  return page.evaluate(() => [...globalThis.motions]);
}

const MOVES = ["travel", "transform", "offset-distance"];

const withoutMotion = {
  name: "who wants no motion sees no dot travel, and still what worked",
  options: { reducedMotion: "reduce" },
  async run({ page, context, url }) {
    const still = await motions(page, url);
    assert(!still.some((name) => MOVES.includes(name)), `something moves: ${still}`);
    assert(still.includes("glow"), `nothing shows what worked: ${still}`);
    const shown = await page.locator(".dot").evaluateAll((dots) => dots.filter((dot) => getComputedStyle(dot).opacity !== "0").length);
    assert(shown === 0, `${shown} dots lie about`);
    const moving = await context.browser().newContext({ viewport: { width: 1280, height: 720 }, reducedMotion: "no-preference" });
    try {
      const seen = await motions(await moving.newPage(), url);
      assert(seen.includes("travel"), `nothing moves for those who like it: ${seen}`);
    } finally {
      await moving.close();
    }
  },
};

const byKeyboard = {
  name: "a step is done by keyboard alone, and what it made is looked at",
  options: { locale: "en-US" },
  async run({ page, url }) {
    page.on("dialog", (dialog) => dialog.dismiss());
    await openLesson(page, url, "deploy-app");
    await page.keyboard.press("F6");
    await tabTo(page, ".steps .next");
    await page.keyboard.press("Enter");
    // The next step is read from its heading.
    await page.waitForFunction(() => document.activeElement?.matches(".lesson h1"));
    await tabTo(page, ".command .run");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.matches(".xterm-helper-textarea"));
    await page.waitForSelector('.check[data-reached="true"]', { timeout: 60_000 });
    await prompt(page);
    await page.keyboard.press("Shift+F6");
    await tabTo(page, '.pod[aria-label*="Running"]');
    await page.keyboard.press("Enter");
    await page.waitForSelector(".inspector .facts");
    await tabTo(page, ".inspector-tabs [role=tab]:nth-child(2)");
    await page.keyboard.press("Enter");
    await page.locator(".events li").filter({ hasText: "Started" }).waitFor();
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.activeElement?.matches(".xterm-helper-textarea"));
    await page.keyboard.type("echo typed\n");
    await screenShows(page, /\ntyped\n/);
  },
};

const byEar = {
  name: "a screen reader hears the terminals once it is asked for, also after a reload",
  options: { locale: "en-US" },
  async run({ page, url }) {
    await openLesson(page, url, "deploy-app");
    assert((await page.locator(".xterm-accessibility").count()) === 0, "it costs everyone time");
    await page.getByRole("button", { name: "Session" }).click();
    await page.getByRole("button", { name: "Read the terminals with a screen reader" }).click();
    await page.waitForSelector(".xterm-accessibility");
    await page.keyboard.press("Escape");
    await type(page, "kubectl create deployment web --image=" + IMAGE);
    await page.locator(".xterm-accessibility").filter({ hasText: "deployment.apps/web created" }).waitFor();
    // The map says in words what it shows in colours.
    await page.getByRole("button", { name: /^Pod web-\S+ Running, gcr\.io\S+:v1$/ }).waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: /^Node minikube 192\.168\.49\.2 Ready, CPU/ }).waitFor();
    await page.reload();
    await prompt(page, { seconds: 60 });
    await page.waitForSelector(".xterm-accessibility");
    await focusTerminal(page);
    const found = await violations(page);
    assert(found.length === 0, found.join("\n"));
  },
};

export default [
  ...Object.keys(STATES).flatMap((name) => LOOKS.map((look) => test(name, look))),
  test("catalogue", narrow),
  withoutMotion,
  byKeyboard,
  byEar,
];
