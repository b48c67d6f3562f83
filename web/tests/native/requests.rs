//! Requests on the network as sentences and as ways on the map.

use cluster::journey::{Answer, Choice, Hop, Journey, Kind, Outcome, Verdict, Via, What};
use expect_test::{Expect, expect};
use simulation::Time;
use web::map::Anchor;
use web::requests::{End, REQUESTS_MAX, Request, Requests, tell};
use web::text::Language;

fn journey(id: u64, what: Vec<What>, outcome: Outcome) -> Journey {
    Journey {
        id,
        revision: id,
        begun: Time::from_unix_seconds(1),
        from: "learner".into(),
        kind: Kind::Tcp,
        name: None,
        to: Some("192.168.49.2:30080".parse().expect("an address")),
        hops: what.into_iter().enumerate().map(|(at, what)| Hop { after_us: at as u64 * 200, what }).collect(),
        hops_left_out: 0,
        outcome,
        took_us: Some(900),
        sent: 0,
        received: 0,
        routine: false,
    }
}

fn rule(chosen: Option<&str>, by: Choice) -> What {
    What::Rule {
        service: "default/web:http".into(),
        via: Via::NodePort,
        address: "192.168.49.2:30080".parse().expect("an address"),
        node: "minikube".into(),
        endpoints: if chosen.is_some() { 2 } else { 0 },
        chosen: chosen.map(|_| "10.244.0.5:80".parse().expect("an address")),
        chosen_name: chosen.unwrap_or_default().into(),
        by,
        local: false,
    }
}

fn one(journey: Journey) -> Request {
    tell(&[journey], |_| 0).remove(0)
}

fn check(request: &Request, language: Language, expected: Expect) {
    let mut text = format!("{} {} {}\n", request.outcome(language), request.goal, request.is_good());
    for row in &request.rows {
        text += &format!("{} {}: {}\n", row.after_us, row.says.who(language), row.sentence(language));
    }
    expected.assert_eq(&text);
}

#[test]
fn a_request_through_a_service() {
    let request = one(journey(
        1,
        vec![
            rule(Some("pod/default/web-1"), Choice::Chance),
            What::NoPolicy,
            What::Wire { from: "learner".into(), to: "minikube".into(), delay_us: 200 },
            What::Arrived {
                at: "pod/default/web-1".into(),
                address: "10.244.0.5:80".parse().expect("an address"),
                seen_as: [192, 168, 49, 2].into(),
            },
            What::Http { method: "GET".into(), path: "/".into(), status: Some(200), took_us: 100 },
        ],
        Outcome::Answered,
    ));
    check(
        &request,
        Language::En,
        expect![[r#"
        200 192.168.49.2:30080 true
        0 kube-proxy: NodePort 192.168.49.2:30080 is an entrance of Service web:http.
        0 kube-proxy: It chose Pod web-1 among 2 endpoints, at random.
        200 NetworkPolicy: Neither end is restricted, so it may pass.
        400 network: From your machine it travels to minikube.
        600 network: Pod web-1 accepts it, and sees 192.168.49.2 as the sender.
        900 HTTP: GET / is answered with 200.
    "#]],
    );
    check(
        &request,
        Language::Ja,
        expect![[r#"
        200 192.168.49.2:30080 true
        0 kube-proxy: NodePort 192.168.49.2:30080 は、Service web:http の入口です。
        0 kube-proxy: 2 個の行き先から、Pod web-1 をくじ引きのように選びました。
        200 NetworkPolicy: どちらの側にもきまりがないので、そのまま通れます。
        400 ネットワーク: あなたのマシン から minikube へ送られます。
        600 ネットワーク: Pod web-1 が受け取りました。送り主は 192.168.49.2 に見えます。
        900 HTTP: GET / に、200 と答えました。
    "#]],
    );
    assert_eq!(
        request.path[1..],
        [Anchor::Service("default".into(), "web".into()), Anchor::Pod("default".into(), "web-1".into())]
    );
}

#[test]
fn what_goes_wrong_is_told() {
    let asked = |name: &str, answer| What::Asked {
        server: [10, 96, 0, 10].into(),
        by: String::new(),
        name: name.into(),
        answer,
        took_us: 400,
    };
    let names = vec![
        asked("wbe.default.svc.cluster.local", Answer::NoSuchName),
        asked("wbe", Answer::Silence),
        asked("web", Answer::Records(vec!["CNAME x".into(), "A 1.2.3.4".into()])),
    ];
    check(
        &one(journey(1, names, Outcome::NoNameServer)),
        Language::En,
        expect![[r#"
        no answer 192.168.49.2:30080 false
        400 DNS: Asked for wbe.default.svc.cluster.local, it answered that there is no such name.
        600 DNS: Asked for wbe, it gave no answer.
        800 DNS: Asked for web, it answered CNAME x, A 1.2.3.4.
    "#]],
    );
    let rejected = one(journey(2, vec![rule(None, Choice::None)], Outcome::NoEndpoints));
    check(
        &rejected,
        Language::En,
        expect![[r#"
        refused 192.168.49.2:30080 false
        0 kube-proxy: NodePort 192.168.49.2:30080 is an entrance of Service web:http.
        0 kube-proxy: The Service has no Pod that is ready, so it rejects.
    "#]],
    );
    let verdict = |allowed_by: Option<&str>| {
        What::Judged(Verdict {
            egress: allowed_by.is_some(),
            pod: "default/web-1".into(),
            selected_by: vec!["a".into(), "b".into()],
            allowed_by: allowed_by.map(str::to_owned),
        })
    };
    let dropped = one(journey(3, vec![verdict(Some("b")), verdict(None)], Outcome::Dropped));
    check(
        &dropped,
        Language::En,
        expect![[r#"
        dropped 192.168.49.2:30080 false
        0 NetworkPolicy: Pod web-1 (egress) is restricted, and b allows this.
        200 NetworkPolicy: Pod web-1 (ingress) is restricted by a, b, and nothing allows this: dropped.
    "#]],
    );
    assert_eq!((dropped.end, dropped.is_good()), (End::Dropped, false));
    let missing = What::Http { method: "GET".into(), path: "/x".into(), status: Some(404), took_us: 1 };
    assert!(!one(journey(4, vec![missing], Outcome::Answered)).is_good(), "an error of HTTP is no success");
}

#[test]
fn the_newest_are_kept_and_changes_take_the_place_of_what_they_change() {
    let mut requests = Requests::default();
    let of = |id, outcome| one(journey(id, Vec::new(), outcome));
    requests.take_in((1..=REQUESTS_MAX as u64 + 2).map(|id| of(id, Outcome::Connected)).collect());
    requests.take_in(vec![of(10, Outcome::Answered)]);
    let ids: Vec<u64> = requests.newest_first().map(|request| request.id).collect();
    assert_eq!((ids.len(), ids[0], ids[REQUESTS_MAX - 1]), (REQUESTS_MAX, REQUESTS_MAX as u64 + 2, 3));
    assert_eq!(requests.chosen(Some(10)).map(|request| request.end), Some(End::Good));
    assert_eq!(requests.chosen(None).map(|request| request.id), Some(ids[0]), "the newest");
    let mut probe = journey(99, Vec::new(), Outcome::Answered);
    probe.routine = true;
    assert_eq!(tell(&[probe], |_| 0), [], "what the cluster asks by itself is not shown");
}
