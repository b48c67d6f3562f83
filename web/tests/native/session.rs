//! Sessions: the same log gives the same screens, however real time was cut into ticks.

use cluster::{Input, Language, LogEntry};
use lesson::Lesson;
use simulation::Time;
use web::chain::Chain;
use web::editors::Editors;
use web::picture::{Picture, PodState};
use web::protocol::{CheckState, FromWorker};
use web::session::{Next, Seed, Session};

use crate::lessons::{changed, lesson};

/// Ticks that a drive may take: a session that needs more hangs.
const TICKS_MAX: u32 = 200_000;

/// A session with a page that remembers what it was told, and a real clock that this test moves.
struct Driven {
    session: Session,
    now_ms: f64,
    screen: String,
    picture: Picture,
    checks: Vec<CheckState>,
    chain: Chain,
    editors: Editors,
    live: bool,
    /// Messages heard, and when.
    heard: Vec<(f64, FromWorker)>,
}

impl Driven {
    fn open(id: &str, log: Vec<LogEntry>, reached: Option<Time>) -> Driven {
        Driven::open_lesson(lesson(id), log, reached)
    }

    fn open_lesson(lesson: Lesson, log: Vec<LogEntry>, reached: Option<Time>) -> Driven {
        let start = Time::from_nanos(1_800_000_000_000_000_000);
        let seed = Seed { course: "basics".to_owned(), lesson: lesson.id.clone(), seed: 7, start };
        let session = Session::new(seed, lesson, log, reached).expect("the profile exists");
        let mut driven = Driven {
            session,
            now_ms: 0.0,
            screen: String::new(),
            picture: Picture::default(),
            checks: Vec::new(),
            chain: Chain::default(),
            editors: Editors::default(),
            live: false,
            heard: Vec::new(),
        };
        let mut ticks = 0;
        while !driven.live {
            driven.tick();
            ticks += 1;
            assert!(ticks < TICKS_MAX, "the session does not come to life");
        }
        driven
    }

    fn tick(&mut self) -> Next {
        let now = self.now_ms;
        let mut next = self.session.tick(now, &|| now);
        self.hear();
        for request in self.session.world().external_requests() {
            self.session.world().external_reply(request.id, kubonsai::assets::read(&request.path));
            next = Next::Now;
        }
        next
    }

    fn hear(&mut self) {
        for message in self.session.messages(self.now_ms) {
            self.heard.push((self.now_ms, message.clone()));
            match message {
                FromWorker::Output { text, .. } => self.screen.push_str(&text),
                FromWorker::Picture { picture } => self.picture = *picture,
                FromWorker::Checks { checks } => self.checks = checks,
                FromWorker::Chain { news } => {
                    self.chain.hear(news);
                }
                FromWorker::Live { .. } => self.live = true,
                FromWorker::Effect { effect } => self.editors.hear(&effect),
                _ => {}
            }
        }
    }

    /// Lets real time pass in ticks of `slice_ms` at most.
    fn run(&mut self, milliseconds: f64, slice_ms: f64) {
        let end = self.now_ms + milliseconds;
        let mut ticks = 0;
        while self.now_ms < end {
            let wait = match self.tick() {
                Next::Now => 0.25,
                Next::After(ms) => ms.min(slice_ms),
                Next::Never => slice_ms,
            };
            self.now_ms = (self.now_ms + wait).min(end);
            ticks += 1;
            assert!(ticks < TICKS_MAX, "too many ticks for {milliseconds} ms");
        }
        self.tick();
    }

    fn type_in(&mut self, line: &str) {
        let now = self.now_ms;
        assert!(self.session.input(Input::Keys { id: 1, text: format!("{line}\r") }, now, &|| now));
    }

    fn open_terminal(&mut self) {
        let now = self.now_ms;
        assert!(self.session.input(Input::OpenTerminal { id: 1, cols: 80, rows: 24 }, now, &|| now));
    }
}

#[test]
fn a_replay_ends_as_the_live_session_stood() {
    for slice_ms in [3.0, 700.0] {
        let mut live = Driven::open("deploy-app", Vec::new(), None);
        live.open_terminal();
        live.run(200.0, slice_ms);
        live.type_in("kubectl create deployment web --image=example.com/none:v1");
        live.run(6_500.0, slice_ms);
        live.type_in("kubectl get pods; echo 端末 $((6*7))");
        live.run(2_000.0, slice_ms);
        let log = live.session.log_since(0).to_vec();
        let replay = Driven::open("deploy-app", log.clone(), Some(live.session.reached()));
        assert_eq!(replay.screen, live.screen);
        assert_eq!(replay.picture, live.picture);
        assert_eq!(replay.checks, live.checks);
        assert_eq!(replay.chain, live.chain);
        assert!(live.chain.command.starts_with("kubectl create") && live.chain.steps.len() > 4, "{:?}", live.chain);
        assert_eq!(replay.session.log_since(0), log);
        assert_eq!(replay.session.reached(), live.session.reached());
        let pod = &live.picture.pods[0];
        assert_eq!((pod.state, pod.node.as_str()), (PodState::Failing, "minikube"), "{pod:?}");
    }
}

/// Every check of the lesson is a ConfigMap that is there.
fn checks_of_config_maps() -> String {
    let ids = ["app-running", "deployments-listed", "proxy-answers", "app-answers"];
    let check = |id: &str| {
        let text = "{ja: x, en: x}";
        let object = format!("object: {{kind: ConfigMap, name: {id}}}");
        format!("  - id: {id}\n    text: {text}\n    all:\n      - {object}\n        hint: {text}\n")
    };
    format!("checks:\n{}", ids.map(check).concat())
}

#[test]
fn a_replay_reaches_what_held_only_for_a_while() {
    let lesson = || changed("deploy-app", &[("checks.yaml", &checks_of_config_maps())]);
    let reached =
        |driven: &Driven| driven.checks.iter().filter(|c| c.reached).map(|c| c.id.clone()).collect::<Vec<_>>();
    let mut live = Driven::open_lesson(lesson(), Vec::new(), None);
    live.open_terminal();
    live.type_in("kubectl create configmap proxy-answers");
    live.run(1_000.0, 16.0);
    live.type_in("kubectl delete configmap proxy-answers");
    live.run(1_000.0, 16.0);
    assert_eq!(reached(&live), ["proxy-answers"]);
    let log = live.session.log_since(0).to_vec();
    let replay = Driven::open_lesson(lesson(), log, Some(live.session.reached()));
    assert_eq!(reached(&replay), ["proxy-answers"]);
}

#[test]
fn sessions_of_the_same_seed_look_the_same() {
    let made = || {
        let mut session = Driven::open("deploy-app", Vec::new(), None);
        session.open_terminal();
        session.type_in("kubectl get nodes");
        session.run(1_500.0, 16.0);
        (session.screen, session.picture, session.checks)
    };
    assert_eq!(made(), made());
}

#[test]
fn a_world_at_rest_asks_for_no_ticks() {
    let mut session = Driven::open("create-cluster", Vec::new(), None);
    session.open_terminal();
    session.run(100.0, 16.0);
    assert_eq!(session.tick(), Next::Never);
}

#[test]
fn an_idle_cluster_keeps_real_time_however_rarely_it_is_called() {
    let mut session = Driven::open("deploy-app", Vec::new(), None);
    session.run(1_000.0, 16.0);
    let before = session.session.reached();
    session.run(60_000.0, 60_000.0);
    let passed = session.session.reached().saturating_since(before).as_secs_f64();
    assert!((passed - 60.0).abs() < 0.5, "60 s became {passed} s");
}

#[test]
fn time_that_the_lid_was_closed_is_not_made_up_for() {
    let mut session = Driven::open("deploy-app", Vec::new(), None);
    session.run(1_000.0, 16.0);
    let Next::After(planned) = session.tick() else { panic!("a cluster has timers") };
    let before = session.session.reached();
    session.now_ms += 3_600_000.0;
    session.tick();
    let passed = session.session.reached().saturating_since(before).as_secs_f64();
    assert!(passed * 1_000.0 <= planned + 2_100.0, "an hour became {passed} s");
}

#[test]
fn while_paused_only_steps_move_time() {
    let mut session = Driven::open("deploy-app", Vec::new(), None);
    session.run(1_000.0, 16.0);
    session.session.set_pace(true, 1.0);
    let before = session.session.reached();
    session.run(5_000.0, 16.0);
    assert_eq!(session.session.reached(), before);
    session.session.step_event();
    assert!(session.session.reached() > before);
}

#[test]
fn the_pace_is_kept() {
    let mut session = Driven::open("deploy-app", Vec::new(), None);
    session.run(100.0, 16.0);
    session.session.set_pace(false, 10.0);
    let before = session.session.reached();
    session.run(3_000.0, 16.0);
    let passed = session.session.reached().saturating_since(before).as_secs_f64();
    assert!((passed - 30.0).abs() < 1.0, "3 s at 10x became {passed} s");
}

#[test]
fn a_terminal_that_is_opened_twice_is_opened_once() {
    let mut session = Driven::open("create-cluster", Vec::new(), None);
    session.open_terminal();
    session.run(50.0, 16.0);
    let screen = session.screen.clone();
    session.open_terminal();
    session.run(50.0, 16.0);
    assert_eq!(session.screen, screen);
    assert_eq!(session.session.terminals(), [1]);
}

#[test]
fn undo_goes_back_to_before_the_last_command() {
    let mut live = Driven::open("deploy-app", Vec::new(), None);
    live.open_terminal();
    live.run(200.0, 16.0);
    assert_eq!(live.session.before_last_command(), None);
    live.type_in("kubectl create namespace first");
    live.run(1_000.0, 16.0);
    let (screen, picture) = (live.screen.clone(), live.picture.clone());
    for key in "kubectl create namespace second\r".chars() {
        let now = live.now_ms;
        assert!(live.session.input(Input::Keys { id: 1, text: key.to_string() }, now, &|| now));
        live.run(70.0, 16.0);
    }
    live.run(1_000.0, 16.0);
    assert!(live.screen.contains("namespace/second created"), "{}", live.screen);
    let before = live.session.before_last_command().expect("two commands were entered");
    let again = Driven::open("deploy-app", before.log.clone(), before.reached);
    assert_eq!(again.screen, screen);
    assert_eq!(again.picture, picture);
    assert_eq!(again.session.before_last_command().map(|saved| saved.log.len()), Some(1));
}

#[test]
fn the_machine_speaks_as_the_page_does_and_undo_leaves_it_so() {
    let languages = |driven: &Driven| -> Vec<Language> {
        let log = driven.session.log_since(0).iter();
        log.filter_map(|entry| if let Input::Language { language } = entry.input { Some(language) } else { None })
            .collect()
    };
    let speak = |driven: &mut Driven, language| {
        let now = driven.now_ms;
        driven.session.speak(language, now, &|| now);
        driven.run(100.0, 16.0);
    };
    let (ja, en) = ("ヒント: $ は例のプロンプトです。", "hint: $ is the prompt");
    let mut live = Driven::open("create-cluster", Vec::new(), None);
    // The machine speaks English already.
    speak(&mut live, Language::En);
    assert_eq!(languages(&live), []);
    speak(&mut live, Language::Ja);
    speak(&mut live, Language::Ja);
    live.open_terminal();
    assert_eq!(live.session.before_last_command(), None, "a language is no command");
    live.type_in("echo first");
    live.run(500.0, 16.0);
    live.type_in("$ ls");
    live.run(500.0, 16.0);
    assert!(live.screen.contains(ja), "{}", live.screen);
    speak(&mut live, Language::En);
    assert_eq!(languages(&live), [Language::Ja, Language::En]);
    // Undo takes the command back, whatever the page spoke since.
    let before = live.session.before_last_command().expect("two commands were entered");
    let commands = before.log.iter().filter(|entry| matches!(entry.input, Input::Keys { .. })).count();
    assert_eq!(commands, 1);
    let mut again = Driven::open("create-cluster", before.log.clone(), before.reached);
    again.type_in("$ ls");
    again.run(500.0, 16.0);
    assert!(again.screen.contains(ja), "nobody told it otherwise: {}", again.screen);
    // What the page speaks is news to a session that is played again, once it lives.
    let start = live.session.seed().start;
    let seed = Seed { course: "basics".to_owned(), lesson: "create-cluster".to_owned(), seed: 7, start };
    again.session = Session::new(seed, lesson("create-cluster"), before.log, before.reached).expect("no profile");
    (again.live, again.screen) = (false, String::new());
    speak(&mut again, Language::En);
    assert!(again.live);
    assert_eq!(languages(&again), [Language::Ja, Language::En]);
    again.type_in("$ ls");
    again.run(500.0, 16.0);
    assert!(again.screen.contains(en) && !again.screen.contains(ja), "{}", again.screen);
    let replay = Driven::open("create-cluster", again.session.log_since(0).to_vec(), Some(again.session.reached()));
    assert_eq!(replay.screen, again.screen);
}

#[test]
fn inputs_are_at_whole_milliseconds() {
    let mut session = Driven::open("deploy-app", Vec::new(), None);
    session.open_terminal();
    for _ in 0..20 {
        session.run(33.333_333, 7.7);
        session.type_in("true");
    }
    let log = session.session.log_since(0);
    assert!(log.len() > 20 && log.iter().all(|entry| entry.at.as_nanos() % 1_000_000 == 0), "{log:?}");
}

#[test]
fn a_step_is_begun_again_from_where_it_was_first_reached() {
    let mut live = Driven::open("create-cluster", Vec::new(), None);
    live.open_terminal();
    live.type_in("echo before > kept");
    live.run(500.0, 16.0);
    for step in [1, 1, 2] {
        let now = live.now_ms;
        live.session.step_begins(step, now, &|| now);
        live.type_in("echo after >> kept");
        live.run(500.0, 16.0);
    }
    assert!(live.session.until_step(3).is_none(), "a step that was never reached");
    let steps = live.session.log_since(0).iter().filter(|e| matches!(e.input, Input::Step { .. })).count();
    assert_eq!(steps, 2, "each is marked once");
    let saved = live.session.until_step(1).expect("a mark");
    let mut again = Driven::open("create-cluster", saved.log, saved.reached);
    again.screen.clear();
    again.type_in("cat kept");
    again.run(500.0, 16.0);
    assert!(again.screen.contains("before") && !again.screen.contains("after"), "{}", again.screen);
}

#[test]
fn an_editor_window_is_open_again_after_a_reload_and_what_is_saved_in_it_arrives() {
    let mut live = Driven::open("deploy-app", Vec::new(), None);
    live.open_terminal();
    live.type_in("nano web.yaml");
    live.run(500.0, 16.0);
    let [editor] = &live.editors.open[..] else { panic!("no window: {}", live.screen) };
    assert_eq!((editor.name(), editor.text.as_str(), editor.terminal), ("web.yaml", "", 1));
    let (id, now) = (editor.id, live.now_ms);
    assert!(live.session.input(Input::SaveEdit { id, text: "a: 1\n".to_owned() }, now, &|| now));
    live.run(100.0, 16.0);
    let mut again = Driven::open("deploy-app", live.session.log_since(0).to_vec(), Some(live.session.reached()));
    assert_eq!(again.editors.open.len(), 1);
    assert_eq!(again.editors.open[0].text, "a: 1\n");
    let now = again.now_ms;
    assert!(again.session.input(Input::CloseEdit { id }, now, &|| now));
    again.type_in("cat web.yaml");
    again.run(500.0, 16.0);
    assert_eq!(again.editors, Editors::default());
    assert!(again.screen.contains("a: 1\r\n"), "{}", again.screen);
    let closed = Driven::open("deploy-app", again.session.log_since(0).to_vec(), Some(again.session.reached()));
    assert_eq!(closed.editors, Editors::default());
}

impl Driven {
    /// By how much the page's clock, which goes on by itself from what it was told last, is wrong, in virtual milliseconds.
    fn clock_error_ms(&self) -> f64 {
        let told = self.heard.iter().rev().find_map(|(at_ms, message)| match message {
            FromWorker::Clock { elapsed_ms, paused, factor, .. } => {
                let since = if *paused { 0.0 } else { (self.now_ms - at_ms) * factor };
                Some(*elapsed_ms as f64 + since)
            }
            _ => None,
        });
        let elapsed = self.session.reached().saturating_since(self.session.seed().start);
        (told.expect("it was told") - elapsed.as_secs_f64() * 1_000.0).abs()
    }

    /// How often the clock was told since `heard` was emptied.
    fn clocks(&self) -> usize {
        self.heard.iter().filter(|(_, message)| matches!(message, FromWorker::Clock { .. })).count()
    }
}

#[test]
fn a_cluster_that_rests_leaves_the_page_alone() {
    let mut live = Driven::open("deploy-app", Vec::new(), None);
    live.open_terminal();
    // Nodes report themselves a few more times before they only renew their leases.
    live.run(60_000.0, 1_000.0);
    live.heard.clear();
    live.run(60_000.0, 1_000.0);
    assert!(live.heard.len() <= 2, "{:#?}", live.heard);
}

#[test]
fn the_clock_is_told_anew_when_the_page_cannot_know_it() {
    let mut live = Driven::open("deploy-app", Vec::new(), None);
    live.open_terminal();
    live.run(60_000.0, 16.0);
    live.heard.clear();
    for (paused, factor) in [(false, 10.0), (true, 10.0), (false, 1.0)] {
        live.session.set_pace(paused, factor);
        live.run(5_000.0, 16.0);
        assert!(live.clock_error_ms() < 500.0 * factor, "{paused} {factor}: {}", live.clock_error_ms());
    }
    assert_eq!(live.clocks(), 3, "each new pace once: {:#?}", live.heard);
    // A lid that was closed: that time is not made up for.
    live.now_ms += 600_000.0;
    live.run(1_000.0, 16.0);
    assert_eq!(live.clocks(), 4);
    assert!(live.clock_error_ms() < 500.0, "{}", live.clock_error_ms());
}
