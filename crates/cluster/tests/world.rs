//! A world as the page drives it: terminals, the log and its replay, the laws.

mod common;

use cluster::{Input, Language, LogEntry, World, WorldConfig};
use common::{START, open, run_for, run_to, screen, type_in, world};
use json::json;
use simulation::Duration;

#[test]
fn a_terminal_has_a_prompt_runs_commands_and_ends_with_exit() {
    let mut world = world(1, None);
    assert!(open(&mut world).contains("learner@kubonsai"), "a prompt");
    let text = type_in(&mut world, "echo hello $USER\r");
    assert!(text.contains("hello learner\r\n"), "{text:?}");
    assert!(type_in(&mut world, "kubectl get nodes\r").contains("localhost:8080 was refused"));
    let text = type_in(&mut world, "minikube start\r");
    assert!(text.contains("Done! kubectl is now configured"), "{text}");
    assert!(type_in(&mut world, "kubectl get nodes\r").contains("minikube   Ready    control-plane"));
    assert!(world.has_terminal(1));
    type_in(&mut world, "exit\r");
    assert!(!world.has_terminal(1));
}

#[test]
fn control_c_ends_what_runs_and_the_prompt_comes_back() {
    let mut world = world(1, None);
    open(&mut world);
    assert!(!type_in(&mut world, "sleep 100000\r").contains("$ \u{1b}"), "it is still running");
    let text = type_in(&mut world, "\u{3}");
    assert!(text.contains("^C"), "{text:?}");
    let text = type_in(&mut world, "echo =$?\r");
    assert!(text.contains("=130\r\n"), "{text:?}");
}

#[test]
fn unreadable_keys_do_no_harm() {
    let mut world = world(1, None);
    open(&mut world);
    type_in(&mut world, "\u{1b}[200~pasted \u{0}\u{7f}\u{1b}[A\u{1b}[999;999Hあ🙂\u{1b}[201~\u{3}");
    let text = type_in(&mut world, "echo still $((40 + 2))\r");
    assert!(text.contains("still 42\r\n"), "{text:?}");
}

/// What the page's browser and inspector were told, as text.
fn told(world: &mut World) -> String {
    format!("{:?} {:?}", world.take_visits(), world.take_log())
}

#[test]
fn the_browser_and_the_log_are_part_of_a_session() {
    let mut live = world(3, None);
    open(&mut live);
    type_in(&mut live, "minikube start\r");
    type_in(&mut live, "kubectl run web --image=nginx\r");
    type_in(&mut live, "kubectl proxy &\r");
    for input in [
        Input::Visit { url: "http://localhost:8001/version".to_owned(), every_ms: Some(2_000) },
        Input::FollowLog { pod: "default/web".to_owned(), container: String::new() },
        Input::Step { step: 2 },
    ] {
        let at = live.now();
        run_to(&mut live, at);
        live.input(at, input);
    }
    run_for(&mut live, Duration::from_secs(5));
    let seen = told(&mut live);
    assert_eq!(seen.matches("gitVersion").count(), 3, "{seen}");
    assert!(seen.contains("trying and failing to pull image"), "{seen}");
    let mut replay = world(3, None);
    for entry in live.log() {
        run_to(&mut replay, entry.at);
        replay.input(entry.at, entry.input.clone());
    }
    run_to(&mut replay, live.now());
    assert_eq!(told(&mut replay), seen);
    assert_eq!(replay.trace_last_seq(), live.trace_last_seq());
}

#[test]
fn the_machine_speaks_the_language_that_it_is_told_to() {
    let tell = |world: &mut World, language| {
        let at = world.now();
        run_to(world, at);
        world.input(at, Input::Language { language });
    };
    let mut live = world(3, None);
    let mut text = open(&mut live);
    for (language, locale, hint) in [
        (None, "en_US.UTF-8", "hint: $ is the prompt of the example"),
        (Some(Language::Ja), "ja_JP.UTF-8", "ヒント: $ は例のプロンプトです。"),
        (Some(Language::En), "en_US.UTF-8", "hint: $ is the prompt of the example"),
        (Some(Language::Ja), "ja_JP.UTF-8", "ヒント: $ は例のプロンプトです。"),
    ] {
        if let Some(language) = language {
            tell(&mut live, language);
        }
        let said = type_in(&mut live, "env | grep ^LANG; bash -c 'echo =$LANG'\r");
        assert!(said.contains(&format!("LANG={locale}\r\n={locale}\r\n")), "{said}");
        text += &said;
        let said = type_in(&mut live, "$ ls\r");
        assert!(said.contains(hint) && said.contains("bash: $: command not found"), "{said}");
        text += &said;
    }
    // A terminal that is opened later speaks it too, and so does the editor's door.
    text += &type_in(&mut live, "exit\r");
    text += &open(&mut live);
    let said = type_in(&mut live, "nano web.yaml\r");
    assert!(said.contains("web.yaml を端末の横のエディターで開きました。"), "{said}");
    text += &said;
    let log = json::to_string(live.log()).expect("plain data");
    assert!(log.contains(r#"{"type":"language","language":"ja"}"#), "{log}");
    let log: Vec<LogEntry> = json::from_str(&log).expect("what was written can be read");
    let mut replay = world(3, None);
    for entry in log {
        run_to(&mut replay, entry.at);
        replay.input(entry.at, entry.input);
    }
    run_to(&mut replay, live.now());
    assert_eq!(screen(&mut replay), text);
}

const SESSION: &[&str] = &[
    "minikube start\r",
    "kubectl create deployment web --image=nginx --replicas=3\r",
    "kubectl get po\t\r",
    "kubectl get pods -o wide\r",
    "kubectl scale deploy/web --replicas=1\r",
    "kubectl get events -A\r",
];

fn play(seed: u64) -> (String, Vec<LogEntry>, String, u64) {
    let mut world = world(seed, None);
    let mut text = open(&mut world);
    for line in SESSION {
        text += &type_in(&mut world, line);
    }
    let trace = json::to_string(&world.trace_since(0)).expect("plain data");
    (text, world.log().to_vec(), trace, world.steps())
}

#[test]
fn same_seed_same_inputs_same_bytes() {
    let (one, again, other) = (play(11), play(11), play(12));
    assert_eq!(one.0, again.0);
    assert_eq!(one.2, again.2);
    assert_eq!(one.3, again.3);
    assert_ne!(one.0, other.0, "the seed matters");
}

#[test]
fn a_session_is_its_seed_and_its_log() {
    let (text, log, trace, _) = play(11);
    let mut world = world(11, None);
    let mut replayed = String::new();
    for entry in log {
        run_to(&mut world, entry.at);
        world.input(entry.at, entry.input);
        replayed += &screen(&mut world);
    }
    run_for(&mut world, Duration::from_secs(30));
    replayed += &screen(&mut world);
    assert_eq!(replayed, text);
    assert_eq!(json::to_string(&world.trace_since(0)).expect("plain data"), trace);
}

#[test]
fn how_time_is_sliced_cannot_be_seen_from_inside() {
    let run = |slice: Duration| {
        let mut world = world(3, Some("minikube"));
        let end = START + Duration::from_secs(60);
        let mut until = START;
        while until < end {
            until = (until + slice).min(end);
            run_to(&mut world, until);
        }
        json::to_string(&world.trace_since(0)).expect("plain data")
    };
    assert_eq!(run(Duration::from_millis(7)), run(Duration::from_secs(60)));
}

#[test]
fn an_idle_cluster_costs_next_to_nothing() {
    let mut world = world(1, Some("minikube"));
    run_for(&mut world, Duration::from_secs(60));
    assert!(world.is_ready(), "seed=1 step={}", world.steps());
    let before = world.steps();
    run_for(&mut world, Duration::from_secs(600));
    let polls_per_minute = (world.steps() - before) / 10;
    // Heartbeats: a lease every 10 s, each a handful of polls for the server, the store's watchers and the page.
    assert!(polls_per_minute < 1_000, "{polls_per_minute} polls a minute");
}

#[test]
fn profiles_and_node_counts_are_checked() {
    let new = |profile: &str, nodes| {
        World::new(WorldConfig { seed: 1, start: START, profile: Some(profile.into()), nodes }).map(|_| ())
    };
    assert_eq!(new("nope", 1), Err("unknown profile \"nope\"".into()));
    assert!(new("minikube", 100_000).is_err());
    let mut three = world(1, Some("three-node"));
    run_for(&mut three, Duration::from_secs(60));
    assert!(three.is_ready());
    assert_eq!(three.objects("v1", "Node", "*").len(), 3);
}

#[test]
fn what_commands_put_on_the_screen_is_told_to_the_trace() {
    let mut world = world(1, None);
    open(&mut world);
    let since = world.trace_last_seq();
    type_in(&mut world, "echo one two; (echo three >&2; exit 3)\r");
    type_in(&mut world, "echo hidden > file && x=$(echo kept)\r");
    let run = world.run_script("echo from a script", Vec::new());
    run_for(&mut world, Duration::from_secs(1));
    assert_eq!(run.exit_code(), Some(0));
    let told = world.trace_since(since).into_iter().filter_map(|event| match event.kind {
        simulation::TraceKind::Command { code, output } => Some((code, output)),
        _ => None,
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [(3, "one two\nthree\n".to_owned()), (0, String::new()), (0, "from a script\n".to_owned())]
    );
}

#[test]
fn an_important_pod_takes_the_place_of_another() {
    let mut world = world(5, Some("minikube"));
    open(&mut world);
    run_for(&mut world, Duration::from_secs(60));
    // The finalizer keeps the victim to be looked at.
    let pod = |name: &str, finalizers: &[&str]| {
        let container = json!({"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "1100m"}}});
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "finalizers": finalizers},
            "spec": {"priorityClassName": name, "containers": [container]}})
    };
    type_in(&mut world, "for p in 1 9; do kubectl create priorityclass p$p --value=$p; done\r");
    let shown = type_in(&mut world, &format!("echo '{}' | kubectl apply -f -\r", pod("p1", &["example.com/kept"])));
    assert!(shown.contains("pod/p1 created"), "{shown}");
    let look = "sleep 0.5; kubectl describe pod";
    let shown = type_in(&mut world, &format!("echo '{}' | kubectl apply -f -; {look} p9; {look} p1\r", pod("p9", &[])));
    in_order(
        &shown,
        &[
            "Priority:             9\r\n",
            "Priority Class Name:  p9\r\n",
            "NominatedNodeName:    minikube\r\n",
            "default-scheduler  0/1 nodes are available: 1 Insufficient cpu.\r\n",
            "DisruptionTarget ",
            "Normal   Preempted ",
            "default-scheduler  Preempted by pod ",
            " on node minikube\r\n",
        ],
    );
    type_in(&mut world, "kubectl patch pod p1 -p '{\"metadata\":{\"finalizers\":null}}'\r");
    let shown = type_in(&mut world, "kubectl describe pod p9; kubectl get pods\r");
    in_order(&shown, &["minikube/192.168.49.2\r\n", "Successfully assigned default/p9 to minikube\r\n", "p9 "]);
    assert!(!shown.contains("NominatedNodeName") && !shown.contains("p1 "), "{shown}");
}

/// Every piece comes, in this order.
#[track_caller]
fn in_order(text: &str, pieces: &[&str]) {
    let mut rest = text;
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else {
            panic!("{piece:?} is missing, or not in its place, in:\n{text}")
        };
        rest = after;
    }
}

#[test]
fn the_tab_key_knows_flags_objects_containers_and_machines() {
    let mut world = world(1, Some("minikube"));
    open(&mut world);
    run_for(&mut world, Duration::from_secs(30));
    type_in(&mut world, "kubectl create deployment web --image=nginx\r");
    type_in(&mut world, "kubectl create service nodeport shop --tcp=80\r");
    for (typed, line) in [
        ("kubectl get pods -n kube-sy\t", "kubectl get pods -n kube-system"),
        ("kubectl get pods --namespace=kube-sy\t", "kubectl get pods --namespace=kube-system"),
        ("kubectl run x --restart=Ne\t", "kubectl run x --restart=Never"),
        ("kubectl expose deploy/web --type=No\t", "kubectl expose deploy/web --type=NodePort"),
        ("kubectl set image deployment/web ng\t", "kubectl set image deployment/web nginx="),
        ("kubectl logs deployment/web -c n\t", "kubectl logs deployment/web -c nginx"),
        ("minikube node st\t", "minikube node st"),
        ("minikube node stop mini\t", "minikube node stop minikube"),
        ("minikube service sh\t", "minikube service shop"),
        ("minikube profile mi\t", "minikube profile minikube"),
    ] {
        let shown = type_in(&mut world, typed);
        let last = shown.rsplit("$ ").next().unwrap_or("").trim_end_matches(['\x07', ' ']);
        assert!(last.starts_with(line), "{typed:?}: {last:?} in {shown:?}");
        type_in(&mut world, "\x15");
    }
}
