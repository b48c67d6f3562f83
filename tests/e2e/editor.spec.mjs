// Editor windows: what kubectl edit and nano open.
import { openLesson, prompt, screenShows, type } from "./learner.mjs";

const TEXT = ".editor:not(.hidden) .cm-content";

async function typeIn(page, line) {
  await page.locator(".screen:not(.hidden) .xterm-helper-textarea").focus();
  await page.keyboard.type(line);
  await page.keyboard.press("Enter");
  await page.waitForSelector(TEXT);
}

async function write(page, text) {
  await page.locator(TEXT).click();
  await page.keyboard.press("Control+a");
  // Text that takes the place of other text at once is given its style by Chromium, which the page's policy refuses.
  await page.keyboard.press("Delete");
  await page.keyboard.insertText(text);
}

const button = (page, name) => page.locator(".editor:not(.hidden) .bar button").filter({ hasText: name });

export default [
  {
    name: "kubectl edit opens the editor and what is saved is applied",
    options: { locale: "en-US" },
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      await type(page, "kubectl create deployment web --image=gcr.io/google-samples/kubernetes-bootcamp:v1");
      await typeIn(page, "kubectl edit deployment web");
      await shot("editor kubectl edit");
      const text = (await page.locator(TEXT).locator(".cm-line").allInnerTexts()).join("\n");
      if (!/apiVersion: apps\/v1/.test(text)) {
        throw new Error(`no manifest in the editor:\n${text}`);
      }
      await page.locator(TEXT).click();
      await page.keyboard.press("Control+f");
      await page.keyboard.type("replicas: 1");
      await page.keyboard.press("Enter");
      await page.keyboard.press("Escape");
      await page.keyboard.insertText("replicas: 2");
      await page.waitForSelector(".editor .changed");
      await button(page, "Save and close").click();
      await screenShows(page, /deployment.apps\/web edited/);
      await prompt(page);
      await page.waitForSelector(".editor", { state: "detached" });
      // The keyboard is the terminal's again.
      await page.keyboard.type("kubectl get deployment web -o jsonpath='{.spec.replicas}{\"\\n\"}'\n");
      await screenShows(page, /\n2\n/);
    },
  },
  {
    name: "an edit that is given up changes nothing, and one that is refused is shown again",
    options: { locale: "en-US" },
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      await type(page, "kubectl create configmap web --from-literal=a=1");
      await typeIn(page, "kubectl edit configmap web");
      await button(page, "Cancel").click();
      await screenShows(page, /Edit cancelled, no changes made/);
      const asked = [];
      page.on("dialog", (dialog) => {
        asked.push(dialog.message());
        dialog.accept();
      });
      await typeIn(page, "kubectl edit configmap web");
      await write(page, "not: [yaml");
      await page.waitForSelector(".editor .cm-lint-marker-error");
      await shot("editor problem");
      await button(page, "Cancel").click();
      await screenShows(page, /cancelled[\s\S]*cancelled/);
      if (asked.length !== 1) {
        throw new Error(`asked ${asked.length} times before unsaved text was thrown away`);
      }
    },
  },
  {
    name: "a manifest written in nano is applied, and Ctrl-S saves",
    options: { locale: "ja-JP", colorScheme: "dark" },
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      await typeIn(page, "nano team.yaml");
      await write(page, "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: team\n");
      await page.waitForSelector(".editor .changed");
      await page.keyboard.press("Control+s");
      await page.waitForSelector(".editor .changed", { state: "detached" });
      await shot("editor ja dark");
      await page.waitForTimeout(1_500);
      await page.reload();
      await page.waitForSelector(TEXT, { timeout: 60_000 });
      await page.locator(".editor .bar button").first().click();
      await prompt(page);
      await type(page, "kubectl apply -f team.yaml");
      await screenShows(page, /namespace\/team created/);
    },
  },
  {
    name: "at 390 px the editor fills the page",
    options: { viewport: { width: 390, height: 844 }, locale: "ja-JP", hasTouch: true, isMobile: true },
    async run({ page, url, shot }) {
      await page.goto(`${url}#/kubernetes-basics/deploy-app`);
      await page.waitForSelector(".pane-tabs [role=tab]");
      await page.waitForSelector(".cover", { state: "detached", timeout: 60_000 });
      await page.locator(".pane-tabs [role=tab]").last().click();
      await prompt(page, { seconds: 60 });
      await typeIn(page, "vi notes.txt");
      await shot("editor narrow");
      const box = await page.locator(".editors").boundingBox();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      if (box.width < 380 || wide > 390) {
        throw new Error(`the editor is ${box.width} px wide, the page ${wide}`);
      }
    },
  },
];
