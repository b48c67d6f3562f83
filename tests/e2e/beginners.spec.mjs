// What beginners do: lessons out of order, double clicks, text from an article, a closed tab, a phone's keyboard.
import { COURSE, chooseLanguage, focusTerminal, openLesson, prompt, saved, screen, screenShows, type } from "./learner.mjs";

function assert(condition, words) {
  if (!condition) {
    throw new Error(words);
  }
}

/** Puts text into the terminal as a paste, an input method or a phone's keyboard does: without a key for each letter. */
async function insert(page, line) {
  await focusTerminal(page);
  await page.keyboard.insertText(line);
}

/** Such a line, with the Enter key. */
async function enter(page, line) {
  await insert(page, line);
  await page.keyboard.press("Enter");
}

const CREATED = /deployment\.apps\/kubernetes-bootcamp created/g;

export default [
  {
    name: "the lessons may be taken in any order, and each has what it needs",
    options: { locale: "en-US" },
    seconds: 240,
    async run({ page, url }) {
      await openLesson(page, url, "update-app");
      await page.waitForFunction(() => document.querySelectorAll(".pod.ready").length === 4);
      await type(page, "kubectl create namespace mine");
      await saved(page, "kubectl create namespace mine");
      await page.click(".logo");
      await page.click("[data-lesson=expose-app]");
      await page.waitForFunction(() => document.querySelectorAll(".pod.ready").length === 1, undefined, { timeout: 60_000 });
      await prompt(page, { seconds: 60 });
      const here = await type(page, "kubectl get namespaces");
      assert(!here.includes("mine"), `another lesson's work is here:\n${here}`);
      await openLesson(page, url, "create-cluster");
      await page.waitForSelector(".map.empty");
      // Back to the first: as it was left.
      await openLesson(page, url, "update-app");
      await page.waitForFunction(() => document.querySelectorAll(".pod.ready").length === 4, undefined, { timeout: 60_000 });
      await type(page, "kubectl get namespaces");
      await screenShows(page, /mine +Active/);
    },
  },
  {
    name: "a command that is double-clicked runs once, and once more does no harm",
    options: { locale: "en-US" },
    async run({ page, url }) {
      await openLesson(page, url, "deploy-app");
      await page.click("button.next");
      await page.locator(".command .run").first().dblclick();
      await page.waitForSelector('.check[data-reached="true"]', { timeout: 60_000 });
      const once = await prompt(page);
      assert(once.match(CREATED)?.length === 1 && !once.includes("already exists"), once);
      await page.locator(".command .run").first().click();
      await screenShows(page, /deployments\.apps "kubernetes-bootcamp" already exists\n.*\$$/);
      await page.waitForSelector('.check[data-reached="true"]');
      assert((await page.locator(".pod").count()) === 1, "there is another Pod");
    },
  },
  {
    name: "a command for a terminal in which another runs waits, and the page says so",
    options: { locale: "en-US" },
    async run({ page, url }) {
      await openLesson(page, url, "deploy-app");
      await page.click("button.next");
      await type(page, "clear; kubectl get pods");
      assert((await page.locator(".notice").count()) === 0, "something is said too early");
      await focusTerminal(page);
      await page.keyboard.type("sleep 3600\n");
      await page.waitForTimeout(500);
      await page.locator(".command .run").first().click();
      await page.locator(".notice").filter({ hasText: "still running in this terminal" }).waitFor();
      await focusTerminal(page);
      await page.keyboard.press("Control+c");
      await prompt(page);
      await page.locator(".command .run").first().click();
      await page.waitForSelector('.check[data-reached="true"]', { timeout: 60_000 });
    },
  },
  {
    name: "on a phone, a command that opens a terminal stands there once",
    options: { viewport: { width: 390, height: 844 }, locale: "ja-JP", hasTouch: true, isMobile: true },
    async run({ page, url, shot }) {
      await page.goto(`${url}#/${COURSE}/update-app`);
      await page.waitForSelector(".cover", { state: "detached", timeout: 60_000 });
      for (let step = 0; step < 2; step += 1) {
        await page.locator("button.next").tap();
      }
      const run = page.locator('.command .run[data-terminal="2"]').first();
      await run.tap();
      const text = await screenShows(page, /NODE_PORT[\s\S]*\n.*\$$/, { terminal: 2 });
      await shot("phone-second-terminal");
      assert(text.split("export").length === 2, text);
    },
  },
  {
    name: "full-width characters, typographic quotes and a prompt that was copied along are named",
    options: { locale: "ja-JP" },
    async run({ page, url }) {
      await openLesson(page, url, "deploy-app");
      await enter(page, "ｋｕｂｅｃｔｌ\u3000get pods");
      await screenShows(page, /ヒント: 1 文字目の「ｋ」\(U\+FF4B\) は全角です。[\s\S]*次のコマンドではありませんか: kubectl get pods\n.*\$$/);
      await enter(page, "kubectl get pods -l ”app=web”");
      await screenShows(page, /「”」\(U\+201D\)[\s\S]*次のコマンドではありませんか: kubectl get pods -l "app=web"\n.*\$$/);
      await enter(page, "kubectl get pods —namespace default");
      await screenShows(page, /「—」\(U\+2014\)[\s\S]*次のコマンドではありませんか: kubectl get pods --namespace default\n.*\$$/);
      await enter(page, "$ kubectl get nodes");
      await screenShows(page, /ヒント: \$ は例のプロンプトです。そのあとだけを入力してください: kubectl get nodes\n.*\$$/);
      await enter(page, "echo 日本語も「そのまま」");
      await screenShows(page, /\n日本語も「そのまま」\n.*\$$/);
      // The machine speaks as the page does.
      await chooseLanguage(page, "English");
      await enter(page, "$ kubectl get nodes");
      await screenShows(page, /hint: \$ is the prompt of the example; type only what follows it: kubectl get nodes\n.*\$$/);
    },
  },
  {
    name: "a tab that is closed while an image is pulled goes on where it was",
    options: { locale: "en-US" },
    async run({ page, context, url }) {
      await openLesson(page, url, "deploy-app");
      await page.click("button.next");
      await page.locator(".command .run").first().click();
      await page.locator(".pod.starting").waitFor();
      // The clock stands, so the pull does not end before the tab is closed.
      await page.locator(".clock button").first().click();
      await saved(page, "kubectl create deployment kubernetes-bootcamp");
      assert((await page.locator(".pod.starting").count()) === 1, "the image is there already");
      await page.close();
      const later = await context.newPage();
      await later.goto(`${url}#/${COURSE}/deploy-app`);
      await later.locator(".pod.ready").waitFor({ timeout: 60_000 });
      await later.waitForSelector('.check[data-check=app-running][data-reached="true"]');
      const text = await prompt(later);
      assert(text.match(CREATED)?.length === 1, `it was created anew:\n${text}`);
    },
  },
  {
    name: "a lesson step by a phone's keyboard, which inserts words instead of pressing keys",
    options: { viewport: { width: 390, height: 844 }, locale: "ja-JP", hasTouch: true, isMobile: true },
    async run({ page, context, url, shot }) {
      await page.goto(`${url}#/${COURSE}/deploy-app`);
      await page.waitForSelector(".cover", { state: "detached", timeout: 60_000 });
      await page.locator("button.next").tap();
      await page.locator(".pane-tabs [role=tab]").nth(2).tap();
      await prompt(page, { seconds: 60 });
      const image = "--image=gcr.io/google-samples/kubernetes-bootcamp:v1";
      await insert(page, "kubectl create deploy");
      await page.getByRole("button", { name: "Tab", exact: true }).tap();
      await screenShows(page, /kubectl create deployment ?$/);
      // A word that is put together first, as most phones do, and the rest as it comes.
      const devtools = await context.newCDPSession(page);
      const word = "kubernetes-bootcamp";
      for (const length of [4, 11, word.length]) {
        const text = word.slice(0, length);
        await devtools.send("Input.imeSetComposition", { text, selectionStart: length, selectionEnd: length });
      }
      await devtools.send("Input.insertText", { text: word });
      await screenShows(page, (text) => text.replaceAll("\n", "").endsWith("create deployment kubernetes-bootcamp"));
      await insert(page, ` ${image}`);
      await shot("phone keyboard");
      await page.keyboard.press("Enter");
      await screenShows(page, /deployment\.apps\/kubernetes-bootcamp created\n.*\$$/);
      assert((await screen(page)).replaceAll("\n", "").includes(`kubectl create deployment kubernetes-bootcamp ${image}`), await screen(page));
      await page.locator(".pane-tabs [role=tab]").first().tap();
      await page.waitForSelector('.check[data-check=app-running][data-reached="true"]', { timeout: 60_000 });
    },
  },
];
