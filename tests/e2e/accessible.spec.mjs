// axe-core finds nothing wrong in the states that a learner meets, in both themes and languages.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { openLesson, prompt, type } from "./learner.mjs";

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

export default [
  ...Object.keys(STATES).flatMap((name) => LOOKS.map((look) => test(name, look))),
  test("catalogue", narrow),
];
