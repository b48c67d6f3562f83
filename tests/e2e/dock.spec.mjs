// The views beside the terminals: the browser of the machine, the chain of a command, the inspector; and the tour.
import { chooseLanguage, openLesson, prompt, type } from "./learner.mjs";

const IMAGE = "gcr.io/google-samples/kubernetes-bootcamp:v1";

function assert(condition, words) {
  if (!condition) {
    throw new Error(words);
  }
}

const view = (page, name) => page.locator(".view-tab").filter({ hasText: name }).click();
const terminal = (page) => page.locator(".tab button[role=tab]").first().click();

/** An app with a Service that can be reached from the machine. */
async function deploy(page, replicas) {
  await type(page, `kubectl create deployment web --image=${IMAGE} --replicas=${replicas}`);
  await type(page, "kubectl expose deployment/web --type=NodePort --port 8080");
  await page.waitForFunction((count) => document.querySelectorAll(".pod.ready").length === count, replicas, { timeout: 60_000 });
}

export default [
  {
    name: "the browser shows the answer, who gave it, and how requests are spread",
    options: { locale: "en-US" },
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      await deploy(page, 3);
      await view(page, "Browser");
      await page.locator(".places button").filter({ hasText: "Service web" }).click();
      await page.locator(".page pre").filter({ hasText: "Hello Kubernetes bootcamp!" }).waitFor();
      await page.click(".repeat");
      await page.waitForFunction(() => document.querySelectorAll(".who .strip-answers i").length >= 8);
      assert((await page.locator(".tally li").count()) > 1, "one Pod answered everything");
      assert((await page.locator(".tally .nobody").count()) === 0, "a request found no Pod");
      await shot("browser");
      await page.click(".repeat.on");
      const stopped = await page.locator(".who .strip-answers i").count();
      await page.waitForTimeout(2_500);
      assert((await page.locator(".who .strip-answers i").count()) <= stopped + 1, "it goes on");
      await page.fill(".address input", "http://10.244.0.5:8080");
      await page.keyboard.press("Enter");
      await page.locator(".no-answer").waitFor();
      await page.keyboard.press("Escape");
      await page.waitForSelector(".browser", { state: "detached" });
    },
  },
  {
    name: "the chain of a command can be followed step by step",
    options: { locale: "ja-JP" },
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      await view(page, "しくみ");
      await page.locator(".chain .lead").waitFor();
      await terminal(page);
      await deploy(page, 1);
      await type(page, `kubectl set image deployment/web kubernetes-bootcamp=${IMAGE.replace("v1", "v2")}`);
      await view(page, "しくみ");
      await page.locator(".steps-list li").nth(4).waitFor();
      await page.locator(".steps-list li button").first().click();
      const station = () => page.locator(".stations .on").allTextContents();
      assert((await station()).join() === "kubectl", `the first step is at ${await station()}`);
      await page.getByRole("button", { name: "次へ" }).last().click();
      assert((await station()).join() === "API server,etcd", `the second step is at ${await station()}`);
      assert((await page.locator(".map .focused").count()) > 0, "nothing stands out on the map");
      await shot("chain");
      const japanese = await page.locator(".steps-list li").nth(1).textContent();
      await chooseLanguage(page, "English");
      assert((await page.locator(".steps-list li").nth(1).textContent()) !== japanese, "the sentence stayed Japanese");
    },
  },
  {
    name: "the inspector shows facts, events, logs and relations, and a Pod can be deleted from it",
    options: { locale: "en-US" },
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      await deploy(page, 1);
      await page.locator(".pod.ready").click();
      await page.locator(".facts dd").filter({ hasText: "Running" }).waitFor();
      await page.locator(".why-node .chosen").waitFor();
      await page.getByRole("tab", { name: "Events" }).click();
      await page.locator(".events li").filter({ hasText: "Scheduled" }).waitFor();
      await page.getByRole("tab", { name: "Log" }).click();
      await page.locator(".log").filter({ hasText: "Kubernetes Bootcamp App Started" }).waitFor();
      await page.getByRole("tab", { name: "Summary" }).click();
      await page.locator(".reference").filter({ hasText: "ReplicaSet" }).click();
      await page.locator(".inspector h2").filter({ hasText: "ReplicaSet" }).waitFor();
      await shot("inspector of a ReplicaSet");
      await page.locator(".relations .reference").filter({ hasText: "Pod" }).click();
      const name = (await page.locator(".inspector h2").textContent()).replace("Pod ", "");
      await page.locator(".try").filter({ hasText: "Delete" }).click();
      await prompt(page);
      await page.waitForFunction((gone) => {
        const pods = [...document.querySelectorAll(".pod.ready")].map((pod) => pod.getAttribute("aria-label"));
        return pods.length === 1 && !pods[0].includes(gone);
      }, name, { timeout: 60_000 });
    },
  },
  {
    name: "a Pod without a node says why",
    options: { locale: "en-US" },
    async run({ page, url }) {
      await openLesson(page, url, "deploy-app");
      const resources = `{"spec":{"containers":[{"name":"big","image":"${IMAGE}","resources":{"requests":{"cpu":"100"}}}]}}`;
      await type(page, `kubectl run big --image=${IMAGE} --overrides='${resources}'`);
      await page.locator(".pod.pending").click();
      await page.locator(".why-node.pending").filter({ hasText: "Insufficient cpu" }).waitFor();
    },
  },
  {
    name: "a step is begun again as it was",
    options: { locale: "en-US" },
    async run({ page, url }) {
      page.on("dialog", (dialog) => dialog.accept());
      await openLesson(page, url, "deploy-app");
      await type(page, "kubectl create namespace kept");
      await page.locator("button.next").click();
      await page.waitForTimeout(300);
      await type(page, "kubectl create namespace lost");
      await page.getByRole("button", { name: "Begin this step again" }).click();
      await page.waitForSelector(".cover", { state: "detached", timeout: 60_000 });
      await prompt(page, { seconds: 60 });
      const text = await type(page, "kubectl get namespaces");
      assert(text.includes("kept") && !/lost +Active/.test(text), `what was done in the step is still there:\n${text}`);
    },
  },
  {
    name: "the tour is offered once and goes through the parts by keyboard",
    options: { locale: "en-US" },
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      await page.click(".tour-offer .yes");
      await shot("tour");
      await page.keyboard.press("ArrowRight");
      await page.waitForSelector(".tour.at-map");
      await page.keyboard.press("Escape");
      await page.waitForSelector(".tour", { state: "detached" });
      await page.reload();
      await page.waitForSelector(".screen .xterm-rows");
      assert((await page.locator(".tour-offer").count()) === 0, "it is offered again");
      await page.keyboard.press("F6");
      assert(await page.evaluate(() => document.activeElement.closest(".lesson") !== null), "F6 does not lead to the lesson");
    },
  },
];
