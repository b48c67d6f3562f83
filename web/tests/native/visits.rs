//! The browser pane's memory.

use cluster::{Answer, NoAnswer, Visit};
use simulation::Time;
use web::map::Places;
use web::picture::{NodeTile, Picture, PodState, PodTile, ServiceTile};
use web::visits::{History, VISITS_MAX, addresses};

fn pod(name: &str, image: &str) -> PodTile {
    PodTile {
        namespace: "default".to_owned(),
        name: name.to_owned(),
        node: "minikube".to_owned(),
        state: PodState::Ready,
        reason: String::new(),
        image: image.to_owned(),
        restarts: 0,
        ip: String::new(),
        owner: "web-1".to_owned(),
        labels: Default::default(),
    }
}

fn visit(pod: &str, answer: Answer, repeats: bool) -> Visit {
    Visit {
        journey: None,
        url: "http://web".to_owned(),
        at: Time::from_unix_seconds(1),
        took_ms: 3,
        pod: pod.to_owned(),
        answer,
        repeats,
    }
}

fn page(status: u16) -> Answer {
    Answer::Page { status, content_type: String::new(), body: String::new(), cut: false }
}

fn world() -> (Picture, Places) {
    let pods = vec![pod("web-1-aaaaa", "docker.io/x/web:v1"), pod("web-1-bbbbb", "docker.io/x/web:v2")];
    let picture = Picture { cluster: true, pods, ..Picture::default() };
    let mut places = Places::default();
    places.update(&picture);
    (picture, places)
}

#[test]
fn answers_have_the_colour_of_the_image_that_gave_them() {
    let (picture, places) = world();
    let mut history = History::default();
    for name in ["default/web-1-aaaaa", "default/web-1-bbbbb", "default/web-1-aaaaa", ""] {
        history.take_in(visit(name, page(200), false), &picture, &places);
    }
    let seen: Vec<_> = history.seen().map(|s| (s.by.short.as_str(), s.by.image.as_str(), s.by.colour)).collect();
    assert_eq!(seen, [("aaaaa", "web:v1", 0), ("bbbbb", "web:v2", 1), ("aaaaa", "web:v1", 0), ("", "", 0)]);
    let tally: Vec<_> = history.tally().into_iter().map(|(by, count)| (by.short.as_str(), count)).collect();
    assert_eq!(tally, [("aaaaa", 2), ("bbbbb", 1), ("", 1)]);
}

#[test]
fn a_pod_that_is_gone_keeps_the_colour_of_its_answers() {
    let (picture, places) = world();
    let mut history = History::default();
    history.take_in(visit("default/web-1-bbbbb", page(200), false), &picture, &places);
    history.take_in(visit("default/web-1-bbbbb", page(200), false), &Picture::default(), &Places::default());
    assert_eq!(history.seen().next().map(|s| s.by.colour), Some(1));
    assert_eq!(history.last().map(|s| s.by.short.as_str()), Some("bbbbb"));
}

#[test]
fn good_is_below_four_hundred() {
    let (picture, places) = world();
    for (answer, good) in
        [(page(200), true), (page(404), false), (page(503), false), (Answer::None { why: NoAnswer::Refused }, false)]
    {
        let mut history = History::default();
        history.take_in(visit("", answer.clone(), false), &picture, &places);
        assert_eq!(history.last().map(|seen| seen.is_good()), Some(good), "{answer:?}");
    }
}

#[test]
fn the_buttons_follow_what_was_asked_for() {
    let (picture, places) = world();
    let mut history = History::default();
    history.ask("http://web", true);
    history.take_in(visit("", page(200), true), &picture, &places);
    assert!(history.repeats && history.waiting);
    history.stop();
    history.take_in(visit("", page(200), true), &picture, &places);
    assert!(!history.repeats && !history.waiting, "an answer that was under way starts nothing");
    history.ask("http://web", true);
    history.take_in(visit("", page(200), false), &picture, &places);
    assert!(!history.repeats, "the last of the repeated visits ends it");
}

#[test]
fn the_strip_is_bounded_and_a_restored_session_knows_its_address() {
    let (picture, places) = world();
    let mut history = History::default();
    for _ in 0..VISITS_MAX + 5 {
        history.take_in(visit("", page(200), true), &picture, &places);
    }
    assert_eq!(history.seen().len(), VISITS_MAX);
    assert_eq!(history.last().map(|s| s.number), Some(VISITS_MAX as u64 + 5));
    assert_eq!((history.url.as_str(), history.repeats), ("http://web", true));
}

#[test]
fn node_ports_and_the_proxy_are_offered() {
    let node = NodeTile {
        name: "minikube".to_owned(),
        address: "192.168.49.2".to_owned(),
        ready: true,
        schedulable: true,
        cpu_requested_milli: 0,
        cpu_allocatable_milli: 0,
        memory_requested: 0,
        memory_allocatable: 0,
    };
    let service = |name: &str, port: &str| ServiceTile {
        namespace: "default".to_owned(),
        name: name.to_owned(),
        kind: String::new(),
        cluster_ip: String::new(),
        ports: vec![port.to_owned()],
        endpoints: Vec::new(),
    };
    let services = vec![service("kubernetes", "443"), service("web", "8080:31234")];
    let picture = Picture { cluster: true, nodes: vec![node], services, ..Picture::default() };
    let urls: Vec<String> = addresses(&picture).into_iter().map(|a| a.url).collect();
    assert_eq!(urls, ["http://192.168.49.2:31234", "http://localhost:8001/"]);
    assert!(addresses(&Picture::default()).is_empty());
}
