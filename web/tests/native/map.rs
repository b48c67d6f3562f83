//! The map: a picture laid out, as text, and what moves on it.

use expect_test::{Expect, expect};
use lesson::{Block, Focus};
use simulation::{Time, TraceEvent, TraceKind};
use web::map::{Anchor, Motion, MoveKind, Part, Places, Scene, Shape, focus};
use web::news::is_news;
use web::picture::{NodeTile, Picture, PodState, PodTile, ServiceTile, WorkloadTile};

fn node(name: &str) -> NodeTile {
    NodeTile {
        name: name.to_owned(),
        address: "192.168.49.2".to_owned(),
        ready: true,
        schedulable: true,
        cpu_requested_milli: 850,
        cpu_allocatable_milli: 2000,
        memory_requested: 0,
        memory_allocatable: 0,
    }
}

fn pod(name: &str, node: &str, state: PodState, image: &str) -> PodTile {
    PodTile {
        namespace: "default".to_owned(),
        name: name.to_owned(),
        node: node.to_owned(),
        state,
        reason: String::new(),
        image: image.to_owned(),
        restarts: 0,
        ip: String::new(),
        owner: "web-66b6c48dd5".to_owned(),
        labels: Default::default(),
    }
}

fn workload(name: &str, owner: &str) -> WorkloadTile {
    WorkloadTile {
        namespace: "default".to_owned(),
        name: name.to_owned(),
        owner: owner.to_owned(),
        desired: 2,
        ready: 1,
    }
}

fn picture() -> Picture {
    Picture {
        cluster: true,
        nodes: vec![node("minikube"), node("minikube-m02")],
        pods: vec![
            pod("web-66b6c48dd5-9tkr5", "minikube", PodState::Ready, "docker.io/app:v1"),
            pod("web-66b6c48dd5-x2lqd", "minikube-m02", PodState::Starting, "docker.io/app:v2"),
            pod("web-66b6c48dd5-zzzzz", "", PodState::Pending, "docker.io/app:v2"),
        ],
        services: vec![ServiceTile {
            namespace: "default".to_owned(),
            name: "web".to_owned(),
            kind: "NodePort".to_owned(),
            cluster_ip: "10.96.1.2".to_owned(),
            ports: vec!["80:30610".to_owned()],
            endpoints: vec!["web-66b6c48dd5-9tkr5".to_owned()],
        }],
        deployments: vec![workload("web", "")],
        replica_sets: vec![workload("web-66b6c48dd5", "web")],
    }
}

fn text(scene: &Scene) -> String {
    let mut lines = vec![format!("height {:.0}", scene.height)];
    let mut line = |what: &str, at: web::map::Rect| {
        lines.push(format!("{what}: {:.0},{:.0} {:.0}x{:.0}", at.x, at.y, at.w, at.h));
    };
    for part in &scene.parts {
        line(&format!("{:?}", part.part), part.rect);
    }
    for pill in &scene.workloads {
        line(&format!("{} {}", pill.kind, pill.tile.name), pill.rect);
    }
    for rail in &scene.services {
        line(&format!("Service {}", rail.tile.name), rail.rect);
    }
    if let Some(at) = scene.waiting {
        line("waiting", at);
    }
    for room in &scene.rooms {
        line(&format!("Node {}", room.tile.name), room.rect);
    }
    for pod in &scene.pods {
        line(&format!("Pod {} colour {}", pod.tile.name, pod.colour), pod.rect);
    }
    lines.join("\n") + "\n"
}

fn check(picture: &Picture, expected: &Expect) {
    let mut places = Places::default();
    places.update(picture);
    expected.assert_eq(&text(&Scene::lay_out(picture, &places, Shape::Wide)));
}

#[test]
fn a_layout() {
    check(
        &picture(),
        &expect![[r#"
        height 470
        You: 16,36 84x34
        ApiServer: 142,36 124x34
        Etcd: 300,36 84x34
        Controllers: 418,36 176x34
        Scheduler: 628,36 138x34
        Deployment web: 16,92 377x30
        ReplicaSet web-66b6c48dd5: 34,128 359x26
        Service web: 16,168 377x30
        waiting: 16,212 768x90
        Node minikube: 16,316 377x116
        Node minikube-m02: 407,316 377x116
        Pod web-66b6c48dd5-zzzzz colour 1: 30,234 74x54
        Pod web-66b6c48dd5-9tkr5 colour 0: 30,358 74x54
        Pod web-66b6c48dd5-x2lqd colour 1: 421,358 74x54
    "#]],
    );
}

#[test]
fn an_empty_cluster() {
    check(
        &Picture { cluster: true, nodes: vec![node("minikube")], ..Picture::default() },
        &expect![[r#"
        height 400
        You: 16,36 84x34
        ApiServer: 142,36 124x34
        Etcd: 300,36 84x34
        Controllers: 418,36 176x34
        Scheduler: 628,36 138x34
        Node minikube: 16,92 768x270
    "#]],
    );
}

/// Everything that is drawn lies within the map, and nothing that can be clicked lies on another such thing.
#[test]
fn nothing_overlaps() {
    let mut picture = picture();
    for index in 0..40 {
        picture.pods.push(pod(&format!("web-66b6c48dd5-{index:05}"), "minikube", PodState::Ready, "docker.io/app:v1"));
    }
    let mut places = Places::default();
    places.update(&picture);
    for shape in [Shape::Wide, Shape::Narrow] {
        no_overlap(&Scene::lay_out(&picture, &places, shape));
    }
}

fn no_overlap(scene: &Scene) {
    let mut all: Vec<web::map::Rect> = scene.parts.iter().map(|p| p.rect).collect();
    all.extend(scene.workloads.iter().map(|w| w.rect));
    all.extend(scene.services.iter().map(|s| s.rect));
    all.extend(scene.pods.iter().map(|p| p.rect));
    for (index, a) in all.iter().enumerate() {
        assert!(a.x >= 0.0 && a.x + a.w <= scene.shape.width() && a.y + a.h <= scene.height, "{a:?}");
        for b in &all[index + 1..] {
            let apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
            assert!(apart, "{a:?} {b:?}");
        }
    }
}

#[test]
fn pods_keep_their_seats_and_images_their_colours() {
    let mut places = Places::default();
    let mut picture = Picture { cluster: true, nodes: vec![node("minikube")], ..Picture::default() };
    let add = |picture: &mut Picture, name: &str, image: &str| {
        picture.pods.push(pod(name, "minikube", PodState::Ready, image));
        picture.pods.sort_by(|a, b| a.name.cmp(&b.name));
    };
    add(&mut picture, "web-m", "app:v1");
    places.update(&picture);
    add(&mut picture, "web-a", "app:v2");
    add(&mut picture, "web-z", "app:v2");
    places.update(&picture);
    let seats = |places: &Places| ["web-m", "web-a", "web-z"].map(|name| places.seat("default", name));
    assert_eq!(seats(&places), [0, 1, 2]);
    picture.pods.retain(|p| p.name != "web-m");
    places.update(&picture);
    assert_eq!(seats(&places), [0, 1, 2], "the first seat is free now, and nobody moved to it");
    add(&mut picture, "web-b", "app:v1");
    places.update(&picture);
    assert_eq!(places.seat("default", "web-b"), 0);
    assert_eq!([places.colour("app:v1"), places.colour("app:v2")], [0, 1]);
}

fn call(seq: u64, from: &str, method: &str, path: &str, status: u16) -> TraceEvent {
    let kind = TraceKind::Call { from: from.to_owned(), method: method.to_owned(), path: path.to_owned(), status };
    TraceEvent { seq, time: Time::from_nanos(0), kind }
}

#[test]
fn requests_become_dots_and_heartbeats_do_not() {
    let you = || Anchor::Part(Part::You);
    let server = || Anchor::Part(Part::ApiServer);
    let kubelet = "kubelet/minikube";
    for (event, expected) in [
        (call(1, "kubectl", "GET", "/api/v1/pods", 200), Some((you(), MoveKind::Read))),
        (
            call(1, "kubectl", "POST", "/apis/apps/v1/namespaces/default/deployments", 201),
            Some((you(), MoveKind::Change)),
        ),
        (call(1, "kubectl", "GET", "/api/v1/nosuch", 404), Some((you(), MoveKind::Failed))),
        (call(1, "kube-scheduler", "GET", "/api/v1/pods", 200), None),
        (call(1, kubelet, "PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/minikube", 200), None),
        (
            call(1, kubelet, "PATCH", "/api/v1/namespaces/default/pods/a/status", 200),
            Some((Anchor::Node("minikube".to_owned()), MoveKind::Change)),
        ),
        (call(1, "kubonsai-page", "GET", "/api/v1/pods", 200), None),
    ] {
        let mut motion = Motion::default();
        motion.take_in(std::slice::from_ref(&event));
        let found = motion.moves.front().map(|m| (m.path.clone(), m.kind));
        assert_eq!(found, expected.map(|(from, kind)| (vec![from, server()], kind)), "{event:?}");
    }
}

#[test]
fn a_request_to_an_app_travels_the_path_that_it_took() {
    let kind = TraceKind::Flow {
        id: 1,
        from: "learner".to_owned(),
        hops: vec!["node/minikube".to_owned(), "service/default/web:http".to_owned()],
        to: "pod/default/web-66b6c48dd5-9tkr5".to_owned(),
        outcome: "connected".to_owned(),
    };
    let mut motion = Motion::default();
    motion.take_in(&[TraceEvent { seq: 1, time: Time::from_nanos(0), kind }]);
    let path = &motion.moves[0].path;
    let mut places = Places::default();
    places.update(&picture());
    let scene = Scene::lay_out(&picture(), &places, Shape::Wide);
    assert_eq!(path.len(), 4);
    assert!(path.iter().all(|anchor| scene.point(anchor).is_some()), "every stop of {path:?} is on the map");
}

#[test]
fn what_happens_in_the_system_namespaces_does_not_move_the_map() {
    let probe = TraceKind::Flow {
        id: 1,
        from: "node/minikube".to_owned(),
        hops: vec!["service/kube-system/kube-dns:metrics".to_owned()],
        to: "pod/kube-system/coredns-66b6c48dd5-9tkr5".to_owned(),
        outcome: "connected".to_owned(),
    };
    assert!(!is_news(&probe), "a page that rests is not woken by it");
    let probe = TraceEvent { seq: 1, time: Time::from_nanos(0), kind: probe };
    let set_up = call(2, "kubeadm", "POST", "/api/v1/namespaces/kube-system/serviceaccounts", 201);
    let mut motion = Motion::default();
    motion.take_in(&[probe, set_up]);
    assert_eq!((motion.moves.len(), motion.newest()), (0, None));
}

/// A dot touches nothing on its way that it does not call at, and no words.
#[test]
fn dots_go_around_what_they_do_not_call_at() {
    let mut picture = picture();
    for index in 0..12 {
        picture.pods.push(pod(&format!("web-66b6c48dd5-{index:05}"), "minikube", PodState::Ready, "docker.io/app:v1"));
    }
    for name in ["x", "y", "z"] {
        picture.services.push(ServiceTile { name: name.to_owned(), ..picture.services[0].clone() });
    }
    let mut places = Places::default();
    places.update(&picture);
    let you = Anchor::Part(Part::You);
    let services: Vec<Anchor> =
        picture.services.iter().map(|s| Anchor::Service(s.namespace.clone(), s.name.clone())).collect();
    let pods: Vec<Anchor> = picture.pods.iter().map(|p| Anchor::Pod(p.namespace.clone(), p.name.clone())).collect();
    for shape in [Shape::Wide, Shape::Narrow] {
        let scene = Scene::lay_out(&picture, &places, shape);
        for pod in &pods {
            for other in pods.iter().filter(|other| *other != pod) {
                goes_around(&scene, &[other.clone(), pod.clone()]);
            }
            for service in &services {
                goes_around(&scene, &[you.clone(), service.clone(), pod.clone()]);
                goes_around(&scene, &[pod.clone(), service.clone(), pods[0].clone()]);
            }
        }
        for node in &picture.nodes {
            let node = Anchor::Node(node.name.clone());
            for service in &services {
                goes_around(&scene, &[you.clone(), node.clone(), service.clone(), pods[0].clone()]);
            }
            goes_around(&scene, &[node, Anchor::Part(Part::ApiServer)]);
        }
    }
}

fn goes_around(scene: &Scene, path: &[Anchor]) {
    let route = scene.route(path);
    assert!(path.iter().all(|stop| route.contains(&scene.point(stop).expect("it is on the map"))), "{path:?}");
    let mut closed: Vec<(&str, web::map::Rect)> = Vec::new();
    closed.extend(scene.services.iter().map(|s| (s.tile.name.as_str(), s.rect)));
    closed.extend(scene.workloads.iter().map(|w| (w.tile.name.as_str(), w.rect)));
    closed.extend(scene.pods.iter().map(|p| (p.tile.name.as_str(), p.rect)));
    // The words at the head of a room.
    let words = |at: web::map::Rect| web::map::Rect { x: at.x + 14.0, y: at.y + 14.0, w: 120.0, h: 16.0 };
    closed.extend(scene.rooms.iter().map(|r| (r.tile.name.as_str(), words(r.rect))));
    for (thing, at) in &closed {
        for leg in route.windows(2) {
            let (low, high) =
                ((leg[0].0.min(leg[1].0), leg[0].1.min(leg[1].1)), (leg[0].0.max(leg[1].0), leg[0].1.max(leg[1].1)));
            let apart = high.0 <= at.x || low.0 >= at.x + at.w || high.1 <= at.y || low.1 >= at.y + at.h;
            assert!(apart, "{path:?} goes through {thing} at {at:?}: {route:?}");
        }
    }
}

#[test]
fn dots_that_have_arrived_are_forgotten() {
    let mut motion = Motion::default();
    for seq in 1..500 {
        motion.take_in(&[call(seq, "kubectl", "GET", "/version", 200)]);
    }
    assert!(motion.moves.len() <= 64);
    assert_eq!(motion.moves.back().unwrap().seq, 499);
    assert_eq!(motion.newest(), Some(499));
    motion.settle(498);
    assert_eq!(motion.moves.iter().map(|moving| moving.seq).collect::<Vec<_>>(), [499]);
    motion.settle(499);
    assert_eq!(motion, Motion::default());
}

#[test]
fn heartbeats_and_the_reading_of_components_are_no_news() {
    let renewal = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/minikube";
    let news = |from, method, path| is_news(&call(1, from, method, path, 200).kind);
    assert!(!news("kubelet/minikube", "PUT", renewal));
    assert!(!news("kube-controller-manager/deployment-controller", "GET", "/api/v1/pods"));
    assert!(news("kube-controller-manager/deployment-controller", "POST", "/api/v1/namespaces/default/pods"));
    assert!(news("kubectl", "GET", "/api/v1/pods"));
}

#[test]
fn a_lesson_points_at_parts_and_objects() {
    let mut picture = Picture {
        cluster: true,
        pods: vec![pod("web-66b6c48dd5-a", "minikube", PodState::Ready, "web:v1")],
        ..Picture::default()
    };
    picture.pods[0].labels = [("app".to_owned(), "web".to_owned())].into();
    picture.deployments = vec![workload("web", "")];
    let object = |kind: &str, name: Option<&str>, selector: Option<&str>| Focus::Object {
        kind: kind.to_owned(),
        name: name.map(str::to_owned),
        selector: selector.map(str::to_owned),
    };
    let pods = [Anchor::Pod("default".to_owned(), "web-66b6c48dd5-a".to_owned())];
    for (focus, expected) in [
        (Focus::Part { name: "etcd".to_owned() }, &[Anchor::Part(Part::Etcd)][..]),
        (Focus::Part { name: "kubectl".to_owned() }, &[Anchor::Part(Part::You)]),
        (object("Pod", None, None), &pods),
        (object("Pod", None, Some("app=web")), &pods),
        (object("Pod", None, Some("app=other")), &[]),
        (object("Pod", Some("nosuch"), None), &[]),
        (
            object("Deployment", Some("web"), None),
            &[Anchor::Workload("Deployment".to_owned(), "default".to_owned(), "web".to_owned())],
        ),
    ] {
        assert_eq!(focus::anchors(&Block::Focus(focus.clone()), &picture), expected, "{focus:?}");
    }
    assert!(focus::anchors(&Block::Rule, &picture).is_empty());
}
