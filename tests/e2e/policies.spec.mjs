// Rules in CEL: their code is a part of the worker that comes when the first rule is written.
import { openLesson, screenShows, type } from "./learner.mjs";

const POLICIES = "**/worker-policies-*.wasm";
const RARE = "**/worker-rare-*.wasm";
/** What xtask/sizes.mjs counts apart beside images and CEL. */
const ON_DEMAND = [RARE, "**/worker-images-*.wasm", "**/js/editor.*", "**/api/*"];
const KEPT_SECONDS_MAX = 60;

const DEFINITION = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: teas.example.com}
spec:
  group: example.com
  names: {kind: Tea, plural: teas, singular: tea}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties: {minutes: {type: integer}, degrees: {type: integer}}
            x-kubernetes-validations:
            - rule: self.minutes * self.degrees <= 400
              message: too bitter`;

const TEA = "apiVersion: example.com/v1\nkind: Tea\nmetadata: {name: sencha}\nspec: {minutes: 5, degrees: 90}";

/** Applies a manifest as a learner pastes it. */
const apply = async (page, manifest) => {
  await type(page, `kubectl apply -f - <<'END'\n${manifest}\nEND`);
};

/** A definition whose rule refuses an object. */
async function refuses(page, start) {
  await type(page, start, { seconds: 60 });
  await apply(page, DEFINITION);
  await screenShows(page, /teas\.example\.com created/, { seconds: 30 });
  await type(page, "kubectl wait --for=condition=Established crd/teas.example.com");
  await screenShows(page, /condition met/, { seconds: 30 });
  await apply(page, TEA);
  await screenShows(page, /The Tea "sencha" is invalid: spec: [^$]*: too\s+bitter/, { seconds: 30 });
  await apply(page, TEA.replace("90", "80"));
  await screenShows(page, /tea\.example\.com\/sencha created/, { seconds: 30 });
}

/** What the lessons of the Basics do. */
const BASICS = [
  "minikube start",
  "kubectl create deployment web --image=gcr.io/google-samples/kubernetes-bootcamp:v1",
  "kubectl rollout status deployment web",
  "kubectl get nodes,pods,deployments,replicasets -o wide",
  "kubectl describe pods",
  "kubectl logs deployment/web",
  "kubectl exec deployment/web -- env",
  "kubectl expose deployment web --type=NodePort --port=8080",
  "kubectl scale deployment web --replicas=3",
  "kubectl label pods -l app=web version=v1",
  "kubectl set image deployment web kubernetes-bootcamp=docker.io/jocatalin/kubernetes-bootcamp:v2",
  "kubectl rollout status deployment web",
  "kubectl rollout undo deployment web",
  "curl $(minikube ip):$(kubectl get service web -o jsonpath='{.spec.ports[0].nodePort}')",
  "kubectl delete service web",
];

export default [
  {
    name: "what no lesson of the Basics does is fetched when it is wanted",
    async run({ page, context, url }) {
      const asked = [];
      for (const pattern of ON_DEMAND) {
        await context.route(pattern, (route) => {
          asked.push(new URL(route.request().url()).pathname);
          return route.continue();
        });
      }
      await openLesson(page, url, "create-cluster");
      for (const line of BASICS) {
        await type(page, line, { seconds: 90 });
        if (asked.length !== 0) {
          throw new Error(`${asked} fetched by \`${line}\``);
        }
      }
      await type(page, "clear; kubectl auth can-i create pods");
      await screenShows(page, /^yes$/m);
      if (asked.length !== 1 || !asked[0].includes("/worker-rare-")) {
        throw new Error(`asked for: ${asked}`);
      }
      await type(page, "clear; kubectl explain pod.spec.hostname");
      await screenShows(page, /FIELD: hostname/);
      if (asked.length !== 2 || !asked[1].includes("/api/")) {
        throw new Error(`asked for: ${asked}`);
      }
    },
  },
  {
    name: "rules in CEL are fetched when the first one is written, and hold",
    async run({ page, context, url, shot }) {
      let asked = 0;
      await context.route(POLICIES, (route) => {
        asked += 1;
        return route.continue();
      });
      await openLesson(page, url, "create-cluster");
      await type(page, "minikube start", { seconds: 60 });
      await type(page, "kubectl get nodes");
      if (asked !== 0) {
        throw new Error("the part was fetched before a rule was written");
      }
      await refuses(page, "kubectl version");
      if (asked !== 1) {
        throw new Error(`the part was asked for ${asked} times`);
      }
      await shot("rules");
    },
  },
  {
    name: "rules in CEL need no network after the first visit",
    options: { serviceWorkers: "allow", locale: "ja-JP" },
    allow: [/ERR_INTERNET_DISCONNECTED|Failed to load resource/],
    async run({ page, context, url }) {
      await page.goto(url);
      await page.waitForSelector("[data-worker=ready]");
      await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated", undefined, {
        timeout: KEPT_SECONDS_MAX * 1000,
      });
      await context.setOffline(true);
      await page.reload();
      await openLesson(page, url, "create-cluster");
      await refuses(page, "minikube start");
    },
  },
];
