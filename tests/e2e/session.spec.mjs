// What happens when things go wrong or are interrupted.
import { withAuthor } from "./author.mjs";
import { focusTerminal, openLesson, prompt, screen, screenShows, type } from "./learner.mjs";

const WRONG = [
  ["kubectl get nosuchthings", /error: the server doesn't have a resource type "nosuchthings"/],
  ["kubectl gett pods", /error: unknown command "gett" for "kubectl"/],
  ["nosuchprogram", /nosuchprogram: command not found/],
];

/** Puts a line before the worker's own script: what it sees of its browser can be taken away. */
async function beforeWorker(context, line) {
  await context.route("**/worker-*.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${line}\n${await response.text()}` });
  });
}

export default [
  {
    name: "a wrong command is answered and does no harm",
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      for (const [line, answer] of WRONG) {
        await type(page, line);
        await screenShows(page, answer);
      }
      await shot("wrong commands");
      await type(page, "kubectl get nodes");
      await screenShows(page, /minikube +Ready/);
    },
  },
  {
    name: "a reload in mid-lesson comes back to the same screen",
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      await page.click("button.next");
      await page.click(".command .run");
      await page.waitForSelector('.check[data-check=app-running][data-reached="true"]', { timeout: 60_000 });
      await type(page, "kubectl get deployments");
      await type(page, "export KEPT=yes");
      const before = await screen(page);
      await page.waitForTimeout(1_500); // sessions are saved a moment after the last change
      await page.reload();
      await page.waitForSelector('.check[data-check=app-running][data-reached="true"]');
      await prompt(page, { seconds: 60 });
      const after = await screen(page);
      if (after !== before) {
        throw new Error(`before the reload:\n${before}\nafter it:\n${after}`);
      }
      await shot("after a reload");
      await type(page, "echo $KEPT");
      await screenShows(page, /\nyes\n/);
    },
  },
  {
    name: "a command is kept when the page is left right after it",
    async run({ page, url }) {
      await openLesson(page, url, "create-cluster");
      await focusTerminal(page);
      await page.keyboard.type("export KEPT=at-once");
      // What was typed so far is kept by then; the key that enters it is not.
      await page.waitForTimeout(1_000);
      await page.keyboard.press("Enter");
      await screenShows(page, /at-once\n\S*\$$/);
      await page.goto("about:blank");
      await openLesson(page, url, "create-cluster");
      await type(page, "echo $KEPT");
      await screenShows(page, /\nat-once\n/);
    },
  },
  {
    name: "a lesson can be started over",
    async run({ page, url }) {
      page.on("dialog", (dialog) => dialog.accept());
      await openLesson(page, url, "deploy-app");
      await type(page, "echo before");
      await page.getByRole("button", { name: /over|最初から/ }).click();
      await screenShows(page, (text) => /\$$/.test(text) && !text.includes("before"), { seconds: 60 });
    },
  },
  {
    name: "a worker that dies comes back from its log and the page says so",
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      await type(page, "echo still here");
      await page.waitForTimeout(1_500);
      const [worker] = page.workers();
      await worker.evaluate(() => void setTimeout(() => { throw new Error("a test ends this worker"); }));
      await page.waitForSelector(".notice");
      // The log is played again behind a cover.
      await page.waitForSelector(".cover", { state: "detached", timeout: 60_000 });
      await screenShows(page, /still here\n.*\$$/, { seconds: 60 });
      await shot("after a crash");
      await type(page, "echo again");
      await screenShows(page, /\nagain\n/);
    },
    allow: [/a test ends this worker/],
  },
  {
    name: "without storage the session works and the page says that it is not saved",
    async run({ page, context, url, shot }) {
      await beforeWorker(context, `Object.defineProperty(self, "indexedDB", { value: undefined });`);
      await openLesson(page, url, "create-cluster");
      await page.waitForSelector(".notice");
      await shot("not saved");
      await type(page, "echo works");
      await screenShows(page, /\nworks\n/);
    },
  },
  {
    name: "a broken lesson is a visible problem, and the others are there",
    async run({ page, shot }) {
      const broken = async (address, change) => {
        await change("checks.yaml", () => "checks:\n  - id: a\n    text: [oops\n");
        await page.goto(`${address}#/kubernetes-basics/deploy-app`);
        const words = page.locator(".notice pre, .cover pre").filter({ hasText: /deploy-app\/checks\.yaml:\d+/ });
        await words.first().waitFor();
        await shot("broken lesson");
        await page.goto("about:blank");
      };
      await withAuthor(0, broken, "kubernetes-basics/deploy-app");
    },
  },
  {
    name: "a lesson that does not exist is named",
    async run({ page, url }) {
      await page.goto(`${url}#/kubernetes-basics/nosuch`);
      await page.locator(".cover pre").filter({ hasText: "nosuch" }).waitFor();
      await page.click(".cover a");
      await page.waitForSelector("[data-lesson=deploy-app]");
    },
  },
];
