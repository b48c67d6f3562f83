//! Windows beside the terminals: what a program asks for comes out as effects, what the person does goes in as inputs.

mod common;

use cluster::{Effect, Input, LogEntry, World};
use common::{open, run_for, run_to, screen, type_in, world};
use simulation::Duration;

fn input(world: &mut World, input: Input) -> String {
    let at = world.now();
    run_to(world, at);
    world.input(at, input);
    run_for(world, Duration::from_secs(5));
    screen(world)
}

/// The window that was opened: its number, path and text.
fn window(world: &mut World) -> (u32, String, String) {
    match world.take_effects().as_slice() {
        [Effect::Edit { id, terminal: 1, path, text, .. }] => (*id, path.clone(), text.clone()),
        other => panic!("one window was expected: {other:?}"),
    }
}

#[test]
fn vi_writes_what_is_saved_in_its_window_and_ends_with_it() {
    let mut world = world(1, None);
    open(&mut world);
    let text = type_in(&mut world, "vi pod.yaml\r");
    assert!(text.contains("pod.yaml is open in the editor"), "{text}");
    let (id, path, text) = window(&mut world);
    assert_eq!((path.as_str(), text.as_str()), ("/home/learner/pod.yaml", ""));
    assert!(!type_in(&mut world, "").contains('$'), "the prompt waits for the window");
    input(&mut world, Input::SaveEdit { id, text: "kind: Pod\n".into() });
    let text = input(&mut world, Input::CloseEdit { id });
    assert!(text.contains("learner@kubonsai"), "the prompt is back: {text}");
    assert_eq!(world.take_effects(), [Effect::EditEnded { id }]);
    assert!(type_in(&mut world, "cat pod.yaml\r").contains("kind: Pod\r\n"));
    // A second look shows what was saved; Ctrl-C in the terminal closes the window.
    type_in(&mut world, "nano pod.yaml\r");
    let (id, _, text) = window(&mut world);
    assert_eq!(text, "kind: Pod\n");
    type_in(&mut world, "\x03");
    assert_eq!(world.take_effects(), [Effect::EditEnded { id }]);
    // Where nothing can show a window, the program says so.
    type_in(&mut world, "vim pod.yaml\r");
    let (id, ..) = window(&mut world);
    let text = input(&mut world, Input::RefuseEdit { id });
    assert!(text.contains("vim: kubonsai does not support an editor where there is no page"), "{text}");
}

#[test]
fn a_replay_has_the_same_windows_with_what_was_saved() {
    let play = |log: &[LogEntry]| {
        let mut world = world(1, None);
        for entry in log {
            run_to(&mut world, entry.at);
            world.input(entry.at, entry.input.clone());
        }
        run_for(&mut world, Duration::from_secs(5));
        world
    };
    let mut first = world(1, None);
    open(&mut first);
    type_in(&mut first, "vi a\r");
    let (id, ..) = window(&mut first);
    input(&mut first, Input::CloseEdit { id });
    type_in(&mut first, "vi b\r");
    let (_, Effect::Edit { id, .. }) = (first.log().len(), first.take_effects().remove(1)) else { panic!("a window") };
    input(&mut first, Input::SaveEdit { id, text: "new".into() });
    let mut second = play(first.log());
    let effects = second.take_effects();
    // The first window was opened and closed; the second one is open.
    let [Effect::Edit { path, text, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((path.as_str(), text.as_str()), ("/home/learner/b", "new"));
}

#[test]
fn kubectl_edit_changes_the_object_and_opens_a_refused_text_again() {
    let mut world = world(1, Some("minikube"));
    open(&mut world);
    run_for(&mut world, Duration::from_secs(30));
    type_in(&mut world, "kubectl create configmap c --from-literal=a=1\r");
    type_in(&mut world, "kubectl edit configmap c\r");
    let (id, path, text) = window(&mut world);
    assert!(path.starts_with("/tmp/kubectl-edit-") && path.ends_with(".yaml"), "{path}");
    assert!(text.starts_with("# Please edit the object below."), "{text}");
    assert!(text.contains("\n  a: \"1\"\n"), "{text}");
    // A text that is no YAML comes back with the reason.
    input(&mut world, Input::SaveEdit { id, text: text.replace("\ndata:", "\ndata") });
    let said = input(&mut world, Input::CloseEdit { id });
    assert!(said.contains("error: configmaps \"c\" is invalid"), "{said}");
    let effects = world.take_effects();
    let [Effect::EditEnded { .. }, Effect::Edit { id, text, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(text.contains("# configmaps \"c\" was not valid:\n# * <nil>: Invalid value: "), "{text}");
    let fixed = text.replace("\ndata\n", "\ndata:\n").replace("a: \"1\"", "a: \"2\"");
    input(&mut world, Input::SaveEdit { id: *id, text: fixed });
    let said = input(&mut world, Input::CloseEdit { id: *id });
    assert!(said.contains("configmap/c edited"), "{said}");
    assert!(type_in(&mut world, "kubectl get configmap c -o jsonpath={.data.a}\r").contains('2'));
    // Nothing changed: nothing sent.
    world.take_effects();
    type_in(&mut world, "kubectl edit configmap c\r");
    let (id, ..) = window(&mut world);
    assert!(input(&mut world, Input::CloseEdit { id }).contains("Edit cancelled, no changes made."));
    assert!(!type_in(&mut world, "ls /tmp\r").contains("kubectl-edit"), "no file is left behind");
}

#[test]
fn kubectl_edit_takes_the_editor_that_the_environment_names() {
    let mut world = world(1, Some("minikube"));
    open(&mut world);
    run_for(&mut world, Duration::from_secs(30));
    type_in(&mut world, "kubectl create configmap c --from-literal=a=one\r");
    let said = type_in(&mut world, "KUBE_EDITOR=\"sed -i s/one/seven/\" kubectl edit configmap/c\r");
    assert!(said.contains("configmap/c edited"), "{said}");
    let said = type_in(&mut world, "EDITOR=emacsclient kubectl edit configmap/c\r");
    assert!(said.contains("error: unable to launch the editor \"emacsclient\""), "{said}");
    assert!(said.contains("A copy of your changes has been stored to \"/tmp/kubectl-edit-"), "{said}");
    let said = type_in(&mut world, "EDITOR=false kubectl edit configmap/c\r");
    assert!(said.contains("error: there was a problem with the editor \"false\""), "{said}");
}

#[test]
fn kubectl_create_edit_creates_what_is_saved() {
    let mut world = world(1, Some("minikube"));
    open(&mut world);
    run_for(&mut world, Duration::from_secs(30));
    let two = "kubectl create configmap one --from-literal=a=1 --dry-run=client -o yaml > cm.yaml; echo --- >> cm.yaml; kubectl create configmap two --from-literal=a=2 --dry-run=client -o yaml >> cm.yaml\r";
    type_in(&mut world, two);
    // What kubectl 1.36.3 says and does against the same server; --dry-run means nothing here.
    let said =
        type_in(&mut world, "clear; KUBE_EDITOR='sed -i s/2/8/' kubectl create -f cm.yaml --edit --dry-run=client\r");
    assert!(said.contains("Edit cancelled, no changes made.\r\nconfigmap/two created\r\n"), "{said}");
    let said =
        type_in(&mut world, "kubectl get configmap two -o jsonpath='{.data.a}{.metadata.managedFields[0].manager}'\r");
    assert!(said.contains("8kubectl-create"), "{said}");
    let said = type_in(&mut world, "clear; KUBE_EDITOR='sed -i s/:.one/:\\ on_e/' kubectl create -f cm.yaml --edit\r");
    assert!(said.contains("A copy of your changes has been stored to \"/tmp/kubectl-edit-"), "{said}");
    assert!(said.contains("The ConfigMap \"on_e\" is invalid: metadata.name: Invalid value: \"on_e\""), "{said}");
    let said = type_in(&mut world, "clear; KUBE_EDITOR='sed -i s/:.v1/:\\ v9/' kubectl create -f cm.yaml --edit\r");
    assert_eq!(said.matches("Edit cancelled, no valid changes were saved.").count(), 2, "{said}");
}

#[test]
fn kubectl_edit_opens_and_patches_a_subresource() {
    let mut world = world(1, Some("minikube"));
    open(&mut world);
    run_for(&mut world, Duration::from_secs(30));
    type_in(&mut world, "kubectl create deployment web --image=nginx\r");
    let said = type_in(&mut world, "clear; KUBE_EDITOR=cat kubectl edit deploy web --subresource=scale\r");
    assert!(said.contains("apiVersion: autoscaling/v1\r\nkind: Scale\r\n"), "{said}");
    // The client knows no type of the kind Scale, so what is saved cannot be read.
    let said = type_in(
        &mut world,
        "clear; KUBE_EDITOR='sed -i s/replicas:.1/replicas:\\ 2/' kubectl edit deploy web --subresource=scale\r",
    );
    assert!(said.contains("error: Edit cancelled, no valid changes were saved."), "{said}");
    let edit = "clear; KUBE_EDITOR='sed -i s/observedGeneration:.1/observedGeneration:\\ 0/' kubectl edit deploy web --output-patch";
    let said = type_in(&mut world, &format!("{edit} --subresource=status\r"));
    assert!(said.contains("Patch: {\"status\":{\"observedGeneration\":0}}\r\ndeployment.apps/web edited"), "{said}");
    let said = type_in(&mut world, "clear; kubectl edit deploy --subresource=status\r");
    assert!(said.contains("error: subresource cannot be used when bulk resources are specified"), "{said}");
    let said = type_in(&mut world, "clear; kubectl edit deploy web --subresource=foo\r");
    assert!(said.contains("Error from server (NotFound): the server could not find the requested resource"), "{said}");
}

#[test]
fn kubectl_get_makes_the_table_itself_and_apply_writes_subresources() {
    let mut world = world(1, Some("minikube"));
    open(&mut world);
    run_for(&mut world, Duration::from_secs(30));
    type_in(&mut world, "kubectl create deployment web --image=nginx\r");
    let said = type_in(
        &mut world,
        "clear; kubectl get deploy,ns --server-print=false -L app,zzz; kubectl get deploy web --server-print=false --subresource=scale --no-headers\r",
    );
    let row = said.lines().find(|line| line.starts_with("deployment.apps/web")).unwrap_or_else(|| panic!("{said}"));
    assert!(said.contains("NAME                  AGE   APP   ZZZ"), "{said}");
    assert!(row.contains("   web"), "{said}");
    assert!(said.lines().any(|line| line.starts_with("web   ") && line.trim_end().ends_with('s')), "{said}");
    let write = "cat > status.yaml <<E\r{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, status: {conditions: [{type: Mine, status: \"True\"}]}}\rE\r";
    type_in(&mut world, write);
    let said = type_in(
        &mut world,
        "clear; kubectl apply -f status.yaml --subresource=status; kubectl apply -f status.yaml --subresource=status --server-side\r",
    );
    assert!(said.contains("error: --subresource can only be specified for --server-side"), "{said}");
    assert!(said.contains("deployment.apps/web serverside-applied"), "{said}");
    let said = type_in(
        &mut world,
        "kubectl get deploy web -o jsonpath='{.status.conditions[*].type}'; kubectl get deploy web --show-managed-fields -o jsonpath='{.metadata.managedFields[?(@.operation==\"Apply\")].subresource}'\r",
    );
    assert!(said.contains("Mine") && said.contains("status"), "{said}");
    let said = type_in(
        &mut world,
        "clear; kubectl replace -f status.yaml --subresource=status; kubectl get deploy web -o jsonpath='{.spec.replicas}-{.status.conditions[*].type}-'\r",
    );
    assert!(said.contains("deployment.apps/web replaced") && said.contains("1-Mine-"), "{said}");
}

#[test]
fn kubectl_resizes_a_pod_in_place() {
    let mut world = world(1, Some("minikube"));
    open(&mut world);
    run_for(&mut world, Duration::from_secs(30));
    let write = "cat > pod.yaml <<E\r{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: c, image: nginx, resources: {limits: {cpu: 100m, memory: 64Mi}}}]}}\rE\r";
    type_in(&mut world, write);
    type_in(&mut world, "kubectl apply -f pod.yaml\r");
    run_for(&mut world, Duration::from_secs(10));
    let patch = r#"kubectl patch pod web --subresource resize -p '{"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"200m"},"requests":{"cpu":"200m"}}}]}}'"#;
    let said = type_in(&mut world, &format!("clear; {patch}\r"));
    assert!(said.contains("pod/web patched"), "{said}");
    run_for(&mut world, Duration::from_secs(3));
    // There are no images here, so nothing runs that would have to be told.
    let look = "clear; kubectl get pod web -o jsonpath='{.spec.containers[0].resources.limits.cpu}-{.metadata.generation}-{.status.observedGeneration}-'; kubectl events --for pod/web\r";
    let said = type_in(&mut world, look);
    assert!(said.contains("200m-2-2-") && said.contains("ResizeStarted") && said.contains("ResizeCompleted"), "{said}");
    let edit = "clear; KUBE_EDITOR='sed -i s/64Mi/32Mi/' kubectl edit pod web --subresource=resize\r";
    let said = type_in(&mut world, edit);
    assert!(said.contains("pod/web edited"), "{said}");
    run_for(&mut world, Duration::from_secs(3));
    let look = "clear; kubectl get pod web -o jsonpath='{.spec.containers[0].resources.limits}'\r";
    let said = type_in(&mut world, look);
    assert!(said.contains("\"memory\":\"32Mi\""), "{said}");
    let said = type_in(&mut world, &format!("clear; {}\r", patch.replace("200m", "100")));
    let refusal = "pods \"web\" is forbidden: node didn't have enough allocatable resources: cpu, requested: 100000, allocatable: ";
    assert!(said.replace("\r\n", "").contains(refusal), "{said}");
}

#[test]
fn policies_see_which_part_of_the_cluster_asks() {
    let mut world = world(1, Some("minikube"));
    open(&mut world);
    run_for(&mut world, Duration::from_secs(30));
    let policy = r#"cat > policy.yaml <<'E'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: who}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  validations:
  - expression: request.userInfo.username == 'minikube-user'
    messageExpression: "'not ' + request.userInfo.username + ' of ' + request.userInfo.groups.join(' ')"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: who}
spec: {policyName: who, validationActions: [Deny]}
E
"#;
    type_in(&mut world, &policy.replace('\n', "\r"));
    type_in(&mut world, "kubectl apply -f policy.yaml\r");
    run_for(&mut world, Duration::from_secs(3));
    let said = type_in(&mut world, "clear; kubectl run p --image=nginx; kubectl create deployment web --image=nginx\r");
    assert!(said.contains("pod/p created"), "{said}");
    run_for(&mut world, Duration::from_secs(5));
    let look = "clear; kubectl get events --field-selector reason=FailedCreate -o jsonpath='{.items[0].message}'\r";
    let said = type_in(&mut world, look);
    let denied = "not system:serviceaccount:kube-system:replicaset-controller of system:serviceaccounts system:serviceaccounts:kube-system system:authenticated";
    assert!(said.replace("\r\n", "").contains(denied), "{said}");
}

#[test]
fn minikube_opens_the_browser_and_the_inspector() {
    let mut world = world(1, Some("minikube"));
    open(&mut world);
    run_for(&mut world, Duration::from_secs(30));
    let said = type_in(&mut world, "minikube dashboard\r");
    assert!(said.contains("Opening the inspector"), "{said}");
    assert_eq!(world.take_effects(), [Effect::Dashboard { terminal: 1 }]);
    // A Service without a running pod cannot be opened; one whose endpoints are not pods can.
    type_in(&mut world, "kubectl create service nodeport web --tcp=80 --node-port=30080\r");
    let said = type_in(&mut world, "minikube service web\r");
    assert!(said.contains("SVC_UNREACHABLE: service not available: no running pod for service web found"), "{said}");
    assert!(world.take_effects().is_empty());
    type_in(
        &mut world,
        "kubectl patch service web --type=json -p '[{\"op\":\"remove\",\"path\":\"/spec/selector\"}]'\r",
    );
    let said = type_in(&mut world, "minikube service web\r");
    assert!(said.contains("Opening service default/web in default browser..."), "{said}");
    assert_eq!(world.take_effects(), [Effect::Browse { terminal: 1, url: "http://192.168.49.2:30080".into() }]);
}
