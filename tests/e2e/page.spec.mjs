// The parts of the page: terminals, map, inspector, clock, dividers, narrow screens, languages and themes.
import { chooseLanguage, openLesson, screen, screenShows, type } from "./learner.mjs";

const box = async (page, selector) => (await page.locator(selector).first().boundingBox()) ?? {};

function assert(condition, words) {
  if (!condition) {
    throw new Error(words);
  }
}

export default [
  {
    name: "terminals keep what they show while others are looked at",
    async run({ page, url }) {
      await openLesson(page, url, "create-cluster");
      await type(page, "echo first");
      await page.locator(".tabs .add").click();
      await screenShows(page, /\$$/, { terminal: 2 });
      await type(page, "echo second", { terminal: 2 });
      await page.locator(".tab button[role=tab]").first().click();
      assert((await screen(page, 1)).includes("first"), "terminal 1 lost its text");
      await type(page, "exit").catch(() => {});
      await page.waitForFunction(() => document.querySelectorAll(".tab").length === 1);
      assert((await screen(page, 2)).includes("second"), "terminal 2 lost its text");
    },
  },
  {
    name: "things on the map open in the inspector by mouse and keyboard, and Escape closes it",
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      await page.locator(".room").first().click({ position: { x: 60, y: 20 } });
      await page.getByRole("tab", { name: "YAML" }).click();
      await page.locator(".inspector .yaml").filter({ hasText: "kind: Node" }).waitFor();
      await shot("inspector");
      await page.keyboard.press("Escape");
      await page.waitForSelector(".inspector", { state: "detached" });
      await page.locator(".room").first().focus();
      await page.keyboard.press("Enter");
      await page.waitForSelector(".inspector .facts, .inspector .yaml");
    },
  },
  {
    name: "time stops, steps and runs faster",
    async run({ page, url }) {
      await openLesson(page, url, "deploy-app");
      // A cluster that has just started has much to do, and time is as slow as that takes.
      await page.waitForTimeout(8_000);
      const face = async () => (await page.locator(".clock time").textContent()).trim();
      const seconds = async () => (await face()).split(":").reduce((sum, part) => sum * 60 + parseInt(part, 10), 0);
      const buttons = page.locator(".clock button");
      await buttons.nth(0).click();
      await page.waitForTimeout(300);
      const stopped = await face();
      await page.waitForTimeout(2_500);
      assert((await face()) === stopped, `the clock went on from ${stopped} to ${await face()}`);
      await buttons.nth(1).click();
      await buttons.nth(3).click();
      const before = await seconds();
      await page.waitForTimeout(3_000);
      const passed = (await seconds()) - before;
      assert(passed >= 15 && passed <= 60, `3 s at 10x became ${passed} s`);
    },
  },
  {
    name: "dividers move by mouse and keyboard and stay after a reload",
    async run({ page, url }) {
      await openLesson(page, url, "create-cluster");
      const before = await box(page, ".lesson");
      const divider = await box(page, ".divider.vertical");
      await page.mouse.move(divider.x + 3, divider.y + 200);
      await page.mouse.down();
      await page.mouse.move(divider.x + 103, divider.y + 200, { steps: 4 });
      await page.mouse.up();
      const wider = await box(page, ".lesson");
      assert(Math.abs(wider.width - before.width - 100) < 6, `100 px became ${wider.width - before.width}`);
      const low = await box(page, ".terminals");
      await page.locator(".divider.horizontal").focus();
      await page.keyboard.press("ArrowUp");
      assert((await box(page, ".terminals")).height > low.height, "the arrow key did nothing");
      await page.reload();
      await page.waitForSelector(".lesson h1");
      assert(Math.abs((await box(page, ".lesson")).width - wider.width) < 2, "the width was forgotten");
    },
  },
  {
    name: "language and theme change on the spot",
    options: { locale: "en-US", colorScheme: "light" },
    async run({ page, url }) {
      await openLesson(page, url, "deploy-app");
      const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const [english, light] = [await page.locator(".lesson h1").textContent(), await paper()];
      await chooseLanguage(page, "日本語");
      await page.waitForSelector(".lesson:lang(ja)");
      assert((await page.locator(".lesson h1").textContent()) !== english, "the title stayed English");
      assert((await page.evaluate(() => document.documentElement.lang)) === "ja", "the document's lang stayed");
      await page.getByRole("button", { name: "明るさを切り替える" }).click();
      await page.waitForSelector('[data-theme="dark"]');
      assert((await paper()) !== light, "the paper kept its colour");
    },
  },
  {
    name: "at 390 px there are three tabs and the checks stay in sight",
    options: { viewport: { width: 390, height: 844 }, locale: "ja-JP", hasTouch: true },
    async run({ page, url, shot }) {
      await page.goto(`${url}#/kubernetes-basics/deploy-app`);
      await page.waitForSelector(".lesson h1");
      await shot("narrow lesson");
      const tabs = page.locator(".pane-tabs [role=tab]");
      assert((await tabs.count()) === 3, "three tabs");
      await page.locator("button.next").click();
      await page.locator(".command .run:not([disabled])").first().click({ timeout: 60_000 });
      await screenShows(page, /deployment.apps\/kubernetes-bootcamp created/);
      await shot("narrow terminal");
      await tabs.nth(1).click();
      await page.waitForSelector(".pod.ready", { timeout: 60_000 });
      await shot("narrow map");
      for (let index = 0; index < 3; index += 1) {
        await tabs.nth(index).click();
        assert(await page.locator(".pane-tabs .progress").isVisible(), "the checks are out of sight");
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert(wide <= 390, `the page is ${wide} px wide`);
      }
    },
  },
  {
    name: "a lesson works under a sub-path",
    async run({ page, subPathUrl }) {
      await openLesson(page, subPathUrl, "create-cluster");
      await type(page, "echo here too");
      await screenShows(page, /\nhere too\n/);
    },
  },
];
