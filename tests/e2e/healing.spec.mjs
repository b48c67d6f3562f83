// Breaking things to see them heal: from the map, the inspector and the terminal.
import { COURSE, openLesson, prompt, saved, screenShows, type } from "./learner.mjs";

const IMAGE = "gcr.io/google-samples/kubernetes-bootcamp:v1";
/** Upstream: a node that says nothing for 50 s is NotReady; its last word is up to 10 s old when it stops. */
const NOT_READY_SECONDS = [35, 65];
/** Then its Pods are tolerated for 300 s. */
const EVICTED_SECONDS = [290, 400];

function assert(condition, words) {
  if (!condition) {
    throw new Error(words);
  }
}

const room = (page, node) => page.locator(`.room[aria-label^="Node ${node} "]`);

/** Virtual seconds since the session began, as the bar shows them. */
async function seconds(page) {
  const face = await page.locator(".clock time").textContent();
  return face.trim().split(":").reduce((sum, part) => sum * 60 + Number.parseInt(part, 10), 0);
}

/** Waits until the page holds something, and gives the virtual seconds that this took. */
async function timed(page, holds, argument) {
  const began = await seconds(page);
  await page.waitForFunction(holds, argument, { timeout: 120_000 });
  return (await seconds(page)) - began;
}

const between = (value, [low, high], what) => assert(value >= low && value <= high, `${what} after ${value} s`);

const allReadyOn = ([node, count]) => {
  const rooms = [...document.querySelectorAll(".room .box:not(.part .box)")].map((box) => box.getBoundingClientRect());
  const names = [...document.querySelectorAll(".room")].map((room) => room.getAttribute("aria-label"));
  const home = rooms[names.findIndex((name) => name.startsWith(`Node ${node} `))];
  const inside = [...document.querySelectorAll(".pod.ready .tile")].filter((tile) => {
    const at = tile.getBoundingClientRect();
    return home && at.left >= home.left && at.right <= home.right && at.top >= home.top;
  });
  return inside.length === count;
};

export default [
  {
    name: "minikube dashboard opens the inspector, and what is chosen there is shown",
    options: { locale: "en-US" },
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      await type(page, `kubectl create deployment web --image=${IMAGE}`);
      await page.locator(".pod.ready").waitFor({ timeout: 60_000 });
      await page.locator(".screen:not(.hidden) .xterm-helper-textarea").focus();
      await page.keyboard.type("minikube dashboard\n");
      await page.waitForSelector(".inspector .overview");
      await shot("dashboard");
      const listed = await page.locator(".objects li").allInnerTexts();
      for (const kind of ["Node minikube", "Deployment web", "ReplicaSet web-", "Service kubernetes", "Pod web-"]) {
        assert(listed.some((line) => line.startsWith(kind)), `no ${kind} in\n${listed.join("\n")}`);
      }
      await page.locator(".objects .reference").filter({ hasText: "Deployment" }).click();
      await page.locator(".inspector h2").filter({ hasText: "Deployment web" }).waitFor();
      await page.locator(".facts dd").filter({ hasText: "1" }).first().waitFor();
    },
  },
  {
    name: "a node is stopped from the map: it turns NotReady, its Pods move, and it comes back",
    options: { locale: "en-US" },
    seconds: 300,
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      await type(page, "minikube node add", { seconds: 90 });
      await room(page, "minikube-m02").waitFor({ timeout: 60_000 });
      await type(page, "kubectl wait --for=condition=Ready node --all --timeout=120s", { seconds: 60 });
      await type(page, `kubectl create deployment web --image=${IMAGE} --replicas=4`);
      await page.waitForFunction(() => document.querySelectorAll(".pod.ready").length === 4, undefined, { timeout: 60_000 });
      assert(await page.evaluate(allReadyOn, ["minikube-m02", 2]), "the Pods are not spread");
      await room(page, "minikube-m02").click({ position: { x: 60, y: 18 } });
      await page.locator(".try").filter({ hasText: "Stop this node" }).click();
      await screenShows(page, /minikube node stop minikube-m02[\s\S]*\$$/, { seconds: 60 });
      await page.locator(".clock button").nth(3).click();
      const notReady = await timed(page, () => document.querySelector('.room[aria-label*="minikube-m02"][aria-label*="NotReady"]'));
      between(notReady, NOT_READY_SECONDS, "NotReady");
      await shot("node not ready");
      await type(page, "kubectl get nodes");
      await screenShows(page, /minikube-m02 +NotReady/);
      // The Pods stay for the 300 s that they tolerate it, then others take their place on the node that is left.
      const moved = await timed(page, allReadyOn, ["minikube", 4]);
      between(notReady + moved, EVICTED_SECONDS, "Pods moved");
      await shot("pods moved");
      await room(page, "minikube-m02").click({ position: { x: 60, y: 18 } });
      await page.locator(".try").filter({ hasText: "Start this node" }).click();
      await room(page, "minikube-m02").and(page.locator(':not([aria-label*="NotReady"])')).waitFor({ timeout: 90_000 });
      await prompt(page, { seconds: 60 });
      await type(page, "kubectl get nodes");
      await screenShows(page, /minikube-m02 +Ready/);
      // What was left on the node is gone for good.
      await page.waitForFunction(() => document.querySelectorAll(".pod").length === 4, undefined, { timeout: 60_000 });
    },
  },
  {
    name: "what a command set in motion is still there after a reload",
    options: { locale: "en-US" },
    async run({ page, url }) {
      await openLesson(page, url, "deploy-app");
      const chain = () => page.locator(".view-tab").filter({ hasText: "How it works" }).click();
      await type(page, `kubectl create deployment web --image=${IMAGE}`);
      await page.locator(".pod.ready").waitFor({ timeout: 60_000 });
      await type(page, "kubectl get pods");
      await chain();
      await page.locator(".steps-list li").filter({ hasText: "started the container" }).waitFor();
      const steps = await page.locator(".steps-list li").allInnerTexts();
      await saved(page, "kubectl get pods");
      await page.goto(`${url}#/`);
      await page.goto(`${url}#/${COURSE}/deploy-app`);
      await page.reload();
      await page.waitForSelector(".screen .xterm-rows", { timeout: 60_000 });
      await chain();
      await page.locator(".chain-bar code").filter({ hasText: "kubectl create deployment web" }).waitFor();
      const after = await page.locator(".steps-list li").allInnerTexts();
      assert(after.join("\n") === steps.join("\n"), `before:\n${steps.join("\n")}\nafter:\n${after.join("\n")}`);
      await page.locator(".steps-list li button").nth(2).click();
      assert((await page.locator(".map .focused").count()) > 0, "nothing stands out on the map");
    },
  },
  {
    name: "an update counts as done when every Pod runs the new version, and not before",
    options: { locale: "en-US" },
    async run({ page, url }) {
      await openLesson(page, url, "update-app");
      for (let step = 0; step < 3; step += 1) {
        await page.locator("button.next").click();
      }
      await page.locator(".command .run").first().click();
      const done = await page.waitForFunction(() => {
        const reached = document.querySelector('.check[data-check=updated][data-reached="true"]');
        return reached && [...document.querySelectorAll(".pod")].map((pod) => pod.getAttribute("aria-label"));
      }, undefined, { timeout: 60_000 });
      const running = (await done.jsonValue()).filter((pod) => pod.includes(" Running, "));
      assert(running.length === 4 && running.every((pod) => pod.endsWith(":v2")), `it was done with\n${running.join("\n")}`);
    },
  },
];
