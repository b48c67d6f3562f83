// Images that do harm or are broken, in the tab: each ends as it would on a cluster, and disturbs nobody.
import { openLesson, screenShows, type } from "./learner.mjs";
import { offerImages } from "./registry.mjs";

const REGISTRY = "docker.io/learner";

/** A module with one function, exported as `_start`, and a memory of a page. */
function module(body) {
  const code = [0x00, ...body, 0x0b]; // no locals; end
  return Buffer.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00], // type: () -> ()
    ...[0x03, 0x02, 0x01, 0x00],
    ...[0x05, 0x03, 0x01, 0x00, 0x01],
    ...[0x07, 0x13, 0x02, 0x06, ...Buffer.from("memory"), 0x02, 0x00, 0x06, ...Buffer.from("_start"), 0x00, 0x00],
    ...[0x0a, code.length + 2, 0x01, code.length, ...code],
  ]);
}

const LOOP = (body) => [0x03, 0x40, ...body, 0x0c, 0x00, 0x0b]; // loop, body, br 0, end
const PROGRAMS = {
  traps: module([0x00]), // unreachable
  loops: module(LOOP([])),
  eats: module(LOOP([0x41, 0x10, 0x40, 0x00, 0x1a])), // 16 pages more, whatever comes of it
  text: Buffer.from("this is no wasm module\n"),
  cut: module([0x00]).subarray(0, 30),
  damaged: module([0x01]),
};
const of = (name) => `${REGISTRY}/${name}:v1`;

function assert(condition, words) {
  if (!condition) {
    throw new Error(words);
  }
}

export default [
  {
    name: "images that trap, loop, eat memory or are broken end as on a cluster",
    options: { locale: "en-US" },
    seconds: 240,
    async run({ page, context, url, shot }) {
      const images = Object.fromEntries(Object.entries(PROGRAMS).map(([name, program]) => [of(name), program]));
      await offerImages(context, images, [of("damaged")]);
      await openLesson(page, url, "deploy-app");
      for (const name of Object.keys(PROGRAMS)) {
        await type(page, `clear; kubectl run ${name} --image=${of(name)}`);
      }
      const limited = { spec: { containers: [{ name: "limited", image: of("eats"), resources: { limits: { memory: "16Mi" } } }] } };
      await type(page, `clear; kubectl run limited --image=${of("eats")} --overrides='${JSON.stringify(limited)}'`);
      await type(page, "clear; kubectl wait --for=condition=Ready pod/loops --timeout=60s", { seconds: 90 });
      // How each container ended last, or why it does not come.
      const fields = ["{.metadata.name}", "{.status.containerStatuses[0].lastState.terminated.reason}",
        "{.status.containerStatuses[0].lastState.terminated.exitCode}", "{.status.containerStatuses[0].state.waiting.reason}"];
      const ends = {
        traps: /^traps\|Error\|134\|/m,
        loops: /^loops\|\|\|$/m,
        eats: /^eats\|OOMKilled\|137\|/m,
        text: /^text\|Error\|255\|/m,
        cut: /^cut\|Error\|255\|/m,
        damaged: /^damaged\|\|\|(ErrImagePull|ImagePullBackOff)$/m,
        limited: /^limited\|OOMKilled\|137\|/m,
      };
      const began = performance.now();
      for (let missing = Object.keys(ends); missing.length > 0; ) {
        await type(page, `clear; kubectl get pods -o jsonpath='{range .items[*]}${fields.join("|")}{"\\n"}{end}'`, { seconds: 60 });
        const text = await screenShows(page, /^traps\|/m);
        missing = Object.keys(ends).filter((name) => !ends[name].test(text));
        assert(performance.now() - began < 60_000, `not as on a cluster: ${missing}\n${text}`);
      }
      await type(page, "clear; kubectl get pods");
      await shot("hostile images");
      const answers = async (command, pattern) => {
        await type(page, `clear; ${command}`);
        const text = await screenShows(page, (text) => /\S\n\S*\$$/.test(text));
        assert(pattern.test(text), `${command}: ${text}`);
      };
      const last = (pod) => `kubectl get pod ${pod} -o jsonpath='{.status.containerStatuses[0].restartCount}{"\\n"}'`;
      await answers("kubectl logs text", /exec \/program: exec format error/);
      await answers("kubectl logs cut", /exec \/program: exec format error/);
      await answers("kubectl describe pod damaged | grep verification", /filesystem layer verification failed for digest sha256:/);
      await answers(last("loops"), /^0$/m);
      // Others go on beside them.
      await type(page, "clear; kubectl create deployment beside --image=nginx");
      await type(page, "kubectl rollout status deployment/beside", { seconds: 60 });
      await screenShows(page, /successfully rolled out/);
      await type(page, "clear; kubectl delete pods traps loops eats text cut damaged limited --now", { seconds: 90 });
      await answers("kubectl get pods", /^beside-\S+ +1\/1 +Running/m);
    },
  },
];
