//! Sessions as files and as links.

use cluster::{Input, Language, LogEntry};
use simulation::{Duration, Time};
use web::saved::{BUILD, SavedSession};
use web::session::Seed;
use web::share::{LINK_CHARS_MAX, from_letters, pack, to_letters, unpack};

const COMMANDS: [&str; 12] = [
    "kubectl create deployment kubernetes-bootcamp --image=gcr.io/google-samples/kubernetes-bootcamp:v1",
    "kubectl get deployments",
    "kubectl describe pods",
    "export POD_NAME=\"$(kubectl get pods -o go-template --template '{{range .items}}{{.metadata.name}}{{\"\\n\"}}{{end}}')\"",
    "kubectl logs \"$POD_NAME\"",
    "kubectl exec -ti $POD_NAME -- bash",
    "curl http://localhost:8080",
    "exit",
    "kubectl expose deployment/kubernetes-bootcamp --type=NodePort --port 8080",
    "kubectl scale deployments/kubernetes-bootcamp --replicas=4",
    "kubectl set image deployments/kubernetes-bootcamp kubernetes-bootcamp=docker.io/jocatalin/kubernetes-bootcamp:v2",
    "kubectl rollout undo deployments/kubernetes-bootcamp",
];

/// Every command typed key by key, `times` times over, at a pace that no two keys share.
fn typed(times: usize) -> SavedSession {
    let start = Time::from_unix_seconds(1_800_000_000);
    let mut at = start + Duration::from_millis(7_003);
    let mut log = vec![LogEntry { at, input: Input::OpenTerminal { id: 1, cols: 80, rows: 24 } }];
    let mut wild: u64 = 88_172_645_463_325_252;
    for command in COMMANDS.iter().cycle().take(times * COMMANDS.len()) {
        for key in command.chars().chain(['\r']) {
            wild ^= wild << 13;
            wild ^= wild >> 7;
            wild ^= wild << 17;
            at = at + Duration::from_millis(40 + wild % 400);
            log.push(LogEntry { at, input: Input::Keys { id: 1, text: key.to_string() } });
        }
        at = at + Duration::from_millis(wild % 20_000);
    }
    let seed = Seed { course: "basics".into(), lesson: "deploy-app".into(), seed: 8_423_557_193_122_001, start };
    SavedSession { build: BUILD.to_owned(), seed, log, reached: Some(at + Duration::from_nanos(1_234_567)) }
}

#[test]
fn a_link_brings_back_what_was_packed() {
    let mut session = typed(1);
    session.log.push(LogEntry { at: session.reached.expect("it is set"), input: Input::CloseTerminal { id: 1 } });
    assert_eq!(unpack(&pack(&session)).as_ref(), Ok(&session));
    let language = Input::Language { language: Language::Ja };
    session.log.push(LogEntry { at: session.reached.expect("it is set"), input: language });
    assert_eq!(unpack(&pack(&session)).as_ref(), Ok(&session));
    session.reached = None;
    session.log.clear();
    assert_eq!(unpack(&pack(&session)).as_ref(), Ok(&session));
}

#[test]
fn a_module_typed_four_times_over_fits_into_a_link() {
    let packed = pack(&typed(4));
    let squeezed = miniz_oxide::deflate::compress_to_vec(&packed, 6);
    let letters = to_letters(&squeezed).len();
    println!("{} inputs: {} bytes packed, {letters} letters", typed(4).log.len(), packed.len());
    assert!(letters < LINK_CHARS_MAX - 200, "{letters} letters");
}

#[test]
fn a_session_that_only_the_page_touched_is_not_begun() {
    let mut session = typed(1);
    assert!(session.is_begun());
    session.log.truncate(1);
    let at = session.log[0].at;
    for language in [Language::Ja, Language::En] {
        assert!(!session.is_begun(), "{:?}", session.log);
        session.log.insert(0, LogEntry { at, input: Input::Language { language } });
    }
    session.log.push(LogEntry { at, input: Input::Keys { id: 1, text: "l".to_owned() } });
    assert!(session.is_begun());
}

#[test]
fn damaged_links_are_refused_and_never_panic() {
    let packed = pack(&typed(1));
    for cut in 0..packed.len() {
        assert!(unpack(&packed[..cut]).is_err(), "cut at {cut}");
    }
    for place in 0..packed.len().min(400) {
        let mut damaged = packed.clone();
        damaged[place] ^= 0x80;
        // Some changes give another session; none gives a panic or an endless one.
        if let Ok(session) = unpack(&damaged) {
            assert!(session.check().is_ok());
        }
    }
    let endless = SavedSession { reached: Some(Time::from_unix_seconds(4_000_000_000)), ..typed(1) };
    assert!(unpack(&pack(&endless)).is_err_and(|words| words.contains("48 hours")));
}

#[test]
fn letters_are_bytes_again() {
    for count in 0..70_u8 {
        let bytes: Vec<u8> = (0..count).map(|n| n.wrapping_mul(37).wrapping_add(count)).collect();
        assert_eq!(from_letters(&to_letters(&bytes)), Some(bytes));
    }
    for (letters, expected) in
        [("", Some(vec![])), ("a", None), ("a+aa", None), ("AAA=", None), ("AAAA", Some(vec![0; 3]))]
    {
        assert_eq!(from_letters(letters), expected, "{letters}");
    }
}

#[test]
fn a_file_brings_back_what_was_exported_and_says_what_is_wrong() {
    let session = typed(1);
    let text = session.to_file();
    assert_eq!(SavedSession::from_file(&text).as_ref(), Ok(&session));
    for (file, words) in [
        ("", "the file is no session"),
        ("{}", "missing field"),
        (&text.replace("kubonsai session 1", "kubonsai session 9"), "not `kubonsai session 1`"),
        (&text.replace("1800000000000000000", "1900000000000000000"), "not in order"),
    ] {
        let answer = SavedSession::from_file(file);
        assert!(answer.as_ref().is_err_and(|said| said.contains(words)), "{words}: {answer:?}");
    }
}
