//! What the API server relies on.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use api::Object;
use etcd::{Compacted, Etcd, Expect, Op, RangeError, Refused, SNAPSHOTS_MAX, WATCH_EVENTS_MAX};
use json::json;

fn put(etcd: &Etcd, key: &str, value: i64) -> u64 {
    let kv = etcd.put(key, Expect::Anything, |revision| Object::new(json!({"v": value, "rv": revision})));
    kv.expect("nothing was expected").mod_revision
}

fn keys(etcd: &Etcd, prefix: &str, revision: u64) -> Vec<String> {
    etcd.range(prefix, revision).unwrap().iter().map(|kv| format!("{}={}", kv.key, kv.value.at("v"))).collect()
}

#[test]
fn revisions_compare_and_swap() {
    let etcd = Etcd::new();
    assert_eq!(etcd.revision(), 1);
    assert_eq!(put(&etcd, "pods/a/x", 1), 2);
    let new = |_| Object::new(json!(0));
    let refused = etcd.put("pods/a/x", Expect::Absent, new).unwrap_err();
    assert!(matches!(refused, Refused::Unexpected(Some(current)) if current.mod_revision == 2));
    assert!(etcd.put("pods/a/x", Expect::Revision(1), new).is_err());
    let kv = etcd.put("pods/a/x", Expect::Revision(2), new).unwrap();
    assert_eq!((kv.create_revision, kv.mod_revision), (2, 3));
    assert!(etcd.delete("pods/a/x", Expect::Revision(2), |_, o| o.clone()).is_err());
    assert!(etcd.delete("pods/a/y", Expect::Anything, |_, o| o.clone()).is_err());
    etcd.delete("pods/a/x", Expect::Revision(3), |_, o| o.clone()).unwrap();
    assert_eq!((etcd.revision(), etcd.len()), (4, 0));
}

#[test]
fn ranges_see_their_revision() {
    let etcd = Etcd::new();
    put(&etcd, "pods/a/x", 1);
    let then = put(&etcd, "pods/b/y", 2);
    put(&etcd, "pods/a/x", 3);
    put(&etcd, "podtemplates/a/z", 4);
    assert_eq!(keys(&etcd, "pods/", 0), ["pods/a/x=3", "pods/b/y=2"]);
    assert_eq!(keys(&etcd, "pods/", then), ["pods/a/x=1", "pods/b/y=2"]);
    assert_eq!(keys(&etcd, "pods/a/", 1), Vec::<String>::new());
    assert_eq!(etcd.range("pods/", 99).unwrap_err(), RangeError::Future { requested: 99, current: 5 });
    etcd.compact(4);
    assert_eq!(keys(&etcd, "pods/", 4), ["pods/a/x=3", "pods/b/y=2"]);
    assert_eq!(etcd.range("pods/", 3).unwrap_err(), RangeError::Compacted(Compacted { requested: 3, oldest: 4 }));
}

#[test]
fn watches_resume_and_are_told_when_too_old() {
    let etcd = Etcd::new();
    let first = put(&etcd, "pods/a/x", 1);
    let mut from_first = etcd.watch("pods/", first).unwrap();
    let mut other_namespace = etcd.watch("pods/b/", first).unwrap();
    put(&etcd, "nodes/n", 7);
    put(&etcd, "pods/a/x", 2);
    etcd.delete("pods/a/x", Expect::Anything, |_, o| o.clone()).unwrap();
    let mut seen = Vec::new();
    while let Some(Ok(event)) = from_first.try_next() {
        seen.push((event.revision, event.op, event.previous.unwrap().int("v").unwrap()));
    }
    assert_eq!(seen, [(4, Op::Modified, 1), (5, Op::Deleted, 2)]);
    assert!(other_namespace.try_next().is_none());
    assert_eq!(other_namespace.seen(), 5, "a bookmark may promise this");
    etcd.compact(5);
    assert_eq!(etcd.watch("pods/", 4).err(), Some(Compacted { requested: 4, oldest: 5 }));
    assert!(etcd.watch("pods/", 5).is_ok());
}

#[test]
fn rings_are_bounded_and_quiet_tables_do_not_suffer_from_busy_ones() {
    let etcd = Etcd::new();
    let start = put(&etcd, "pods/a/x", 1);
    let mut slow = etcd.watch("leases/", start).unwrap();
    let quiet = etcd.watch("pods/", start).unwrap();
    for n in 0..WATCH_EVENTS_MAX + 1 {
        put(&etcd, "leases/a/x", n as i64);
    }
    assert!(matches!(slow.try_next(), Some(Err(Compacted { .. }))));
    assert!(slow.try_next().is_none());
    drop(quiet);
    assert!(etcd.watch("pods/", start).is_ok(), "nothing was lost there");
    assert!(etcd.range("pods/", 2).is_err(), "snapshots are bounded by {SNAPSHOTS_MAX}");
}

#[test]
fn whoever_watches_a_lane_hears_of_what_is_and_was_in_it() {
    let etcd = Etcd::new();
    etcd.divide("pods", |pod| pod.str("lane"));
    let put = |key: &str, lane: &str| {
        let kv = etcd.put(key, Expect::Anything, |_| Object::new(json!({"lane": lane})));
        kv.expect("nothing was expected").mod_revision
    };
    let first = put("pods/a/x", "one");
    put("pods/a/y", "two");
    // Also what was written before anybody watched the lane.
    let mut one = etcd.watch_lane("pods/", first - 1, "one").unwrap();
    let mut all = etcd.watch("pods/", 0).unwrap();
    let mut heard = || one.try_next().map(|event| event.map(|event| (event.op, event.key.to_string())));
    assert_eq!(heard(), Some(Ok((Op::Added, "pods/a/x".to_owned()))));
    assert_eq!(heard(), None);
    put("pods/a/y", "three");
    assert_eq!(heard(), None);
    put("pods/a/x", "two");
    assert_eq!(heard(), Some(Ok((Op::Modified, "pods/a/x".to_owned()))), "it was there");
    put("pods/a/z", "one");
    etcd.delete("pods/a/z", Expect::Anything, |_, o| o.clone()).unwrap();
    assert_eq!(heard(), Some(Ok((Op::Added, "pods/a/z".to_owned()))));
    assert_eq!(heard(), Some(Ok((Op::Deleted, "pods/a/z".to_owned()))));
    // What was dropped of other lanes is nothing that it has missed.
    for _ in 0..=WATCH_EVENTS_MAX {
        put("pods/a/y", "two");
    }
    assert_eq!(all.try_next().map(|event| event.is_ok()), Some(false));
    put("pods/a/x", "one");
    assert_eq!(heard(), Some(Ok((Op::Modified, "pods/a/x".to_owned()))));
    let mut late = etcd.watch_lane("pods/", 0, "one").unwrap();
    for _ in 0..=WATCH_EVENTS_MAX {
        put("pods/a/x", "one");
    }
    assert!(matches!(late.try_next(), Some(Err(Compacted { .. }))), "of its own lane it has");
    assert!(etcd.watch_lane("pods/", first, "two").is_err(), "as any watch");
}
