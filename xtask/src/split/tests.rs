//! A small module is split and both forms are run: they must do the same, and fetch a part when it is first needed.

use wasmi::{Caller, Engine, Instance, Linker, Module, Store};

use super::names::PartRules;
use super::{Parts, Rules, split};

const RULES: Rules = Rules {
    parts: &[
        PartRules { name: "rest", paths: &["kubectl"] },
        PartRules { name: "rare", paths: &["cel", "kubectl::rare"] },
    ],
    first: &["kubectl::words"],
    methods: &[],
};

/// Every way into a later part (a call, an export, a table, a trait object's shim) and every way back or to another.
const WORKER: &str = r#"(module
  (type $unary (func (param i32) (result i32)))
  (import "page" "__wbg_kubonsaiLoadPart_0123" (func $load (param i32)))
  (import "page" "log" (func $log (param i32)))
  (memory (export "memory") 1)
  (global $stack (mut i32) (i32.const 1000))
  (table 5 funcref)
  (elem (i32.const 0) $"kubectl::indirect" $"shell::double" $"<alloc::Box<kubectl::Get>>::drop" $"cel::indirect"
    $"<alloc::Box<cel::Ast>>::drop")
  (data (i32.const 16) "\05\00\00\00")

  (func (export "shell") (param i32) (result i32) (call $"shell::double" (local.get 0)))
  (func (export "loop") (param i32) (result i32) (call $"shell::loop" (local.get 0)))
  (func (export "run") (param i32) (result i32) (call $"kubectl::run" (local.get 0)))
  (func (export "indirect") (param i32) (result i32)
    (call_indirect (type $unary) (i32.const 10) (local.get 0)))
  (func (export "alike") (param i32) (result i32) (call $"<kubectl::Output>::clone" (local.get 0)))
  (func $"kubectl::exported" (export "exported") (param i32 i64 f64) (result i32)
    (drop (call $"kubectl::inner" (i32.const 1)))
    (i32.store (i32.const 64) (local.get 0))
    (i32.add (i32.add (i32.load (i32.const 64)) (i32.wrap_i64 (local.get 1))) (i32.trunc_f64_s (local.get 2))))
  (func (export "stack") (result i32) (global.get $stack))
  (func (export "rare") (param i32) (result i32) (call $"cel::compile" (local.get 0)))
  (func (export "both") (param i32) (result i32) (call $"kubectl::explain" (local.get 0)))
  (func (export "words") (param i32) (result i32) (call $"kubectl::words::find" (local.get 0)))

  (func $"shell::double" (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (func $"shell::loop" (param i32) (result i32) (local i32 i32)
    (loop $again
      (local.set 1 (i32.add (local.get 1) (i32.mul (local.get 0) (i32.add (local.get 2) (i32.const 12345)))))
      (local.set 2 (i32.xor (local.get 2) (local.get 1)))
      (local.set 2 (i32.shr_u (local.get 2) (i32.const 3)))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br_if $again (i32.gt_s (local.get 0) (i32.const 0))))
    (i32.add (local.get 1) (local.get 2)))
  (func $"kubectl::run" (param i32) (result i32)
    (global.set $stack (i32.sub (global.get $stack) (local.get 0)))
    (call $log (global.get $stack))
    (i32.store (i32.const 20) (call $"kubectl::inner" (local.get 0)))
    (i32.add (call $"shell::loop" (local.get 0)) (i32.add (i32.load (i32.const 20)) (i32.load (i32.const 16)))))
  (func $"kubectl::inner" (param i32) (result i32)
    (i32.add (call $"<alloc::Vec<kubectl::Row>>::push" (local.get 0))
      (call_indirect (type $unary) (local.get 0) (i32.const 1))))
  (func $"<kubectl::Output>::clone" (param i32) (result i32)
    (i32.store (i32.const 80) (call $"shell::double" (local.get 0)))
    (i32.store (i32.const 84) (call $"shell::double" (i32.load (i32.const 80))))
    (i32.add (i32.load (i32.const 80)) (i32.load (i32.const 84))))
  (func $"kubectl::indirect" (param i32) (result i32)
    (call $log (i32.const 77))
    (i32.add (call $"shell::double" (local.get 0)) (i32.const 1)))
  (func $"<alloc::Vec<kubectl::Row>>::push" (param i32) (result i32) (i32.add (local.get 0) (i32.const 40)))
  (func $"<alloc::Box<kubectl::Get>>::drop" (param i32) (result i32) (call $"kubectl::inner" (local.get 0)))
  (func $"kubectl::explain" (param i32) (result i32)
    (call $log (i32.const 88))
    (i32.add (i32.sub (call $"cel::compile" (local.get 0)) (call $"kubectl::table" (local.get 0)))
      (call $"kubectl::rare::list" (local.get 0))))
  (func $"kubectl::table" (param i32) (result i32)
    (i32.store (i32.const 112) (i32.mul (call $"kubectl::inner" (i32.const 1)) (i32.const 100000)))
    (i32.store (i32.const 116) (i32.xor (i32.load (i32.const 112)) (i32.const 7654321)))
    (i32.store (i32.const 120) (i32.or (i32.load (i32.const 116)) (local.get 0)))
    (i32.add (i32.load (i32.const 112)) (i32.load (i32.const 120))))
  (func $"kubectl::rare::list" (param i32) (result i32)
    (call $log (i32.const 99))
    (i32.sub (call $"kubectl::table" (local.get 0)) (call $"shell::double" (i32.const 4))))
  (func $"cel::compile" (param i32) (result i32)
    (call $log (local.get 0))
    (i32.store (i32.const 96) (call $"cel::check" (call $"<alloc::Vec<cel::Ast>>::push" (local.get 0))))
    (i32.add (i32.load (i32.const 96)) (call $"shell::loop" (local.get 0))))
  (func $"cel::check" (param i32) (result i32)
    (call $log (i32.const 66))
    (i32.xor (local.get 0) (i32.load (i32.const 16))))
  (func $"cel::indirect" (param i32) (result i32)
    (i32.mul (call $"cel::compile" (local.get 0)) (call $"kubectl::table" (i32.const 1))))
  (func $"<alloc::Vec<cel::Ast>>::push" (param i32) (result i32)
    (i32.store (i32.const 100) (i32.add (local.get 0) (i32.const 4000)))
    (i32.store (i32.const 104) (i32.sub (i32.load (i32.const 100)) (i32.load (i32.const 16))))
    (i32.sub (i32.load (i32.const 104)) (i32.const 17)))
  (func $"<alloc::Box<cel::Ast>>::drop" (param i32) (result i32) (call $"<alloc::Vec<cel::Ast>>::push" (local.get 0)))
  (func $"kubectl::words::find" (param i32) (result i32) (i32.xor (call $"shell::double" (local.get 0)) (i32.const 9))))"#;

/// No part.
const NONE: [i32; 0] = [];

/// What the page has: the later parts, the numbers of those that were wanted, and what was logged.
#[derive(Default)]
struct Page {
    first: Option<Instance>,
    later: Vec<Vec<u8>>,
    loads: Vec<i32>,
    logged: Vec<i32>,
}

fn start(first: &[u8], later: &[Vec<u8>]) -> (Store<Page>, Instance) {
    let engine = Engine::default();
    let mut store = Store::new(&engine, Page { later: later.to_vec(), ..Page::default() });
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("page", "log", |mut caller: Caller<'_, Page>, n: i32| caller.data_mut().logged.push(n))
        .expect("log");
    linker.func_wrap("page", "__wbg_kubonsaiLoadPart_0123", load).expect("the import of parts");
    let module = Module::new(&engine, first).expect("the first part is valid");
    let instance = linker.instantiate_and_start(&mut store, &module).expect("the first part stands alone");
    store.data_mut().first = Some(instance);
    (store, instance)
}

fn load(mut caller: Caller<'_, Page>, part: i32) {
    caller.data_mut().loads.push(part);
    let engine = caller.engine().clone();
    let later = Module::new(&engine, &caller.data().later[part as usize - 1][..]).expect("the part is valid");
    let first = caller.data().first.expect("the first part runs");
    let mut linker: Linker<Page> = Linker::new(&engine);
    let exports: Vec<_> =
        first.exports(&caller).map(|export| (export.name().to_owned(), export.into_extern())).collect();
    for (name, value) in exports {
        linker.define("f", &name, value).expect("names are different");
    }
    linker.instantiate_and_start(&mut caller, &later).expect("the part fits the first");
}

fn parts() -> (Vec<u8>, Parts) {
    let whole = wat::parse_str(WORKER).expect("the test's module is right");
    let parts = split(&whole, &RULES).expect("it can be split");
    (whole, parts)
}

/// Calls exports of the whole and of the split module; gives the parts that were fetched by then.
#[track_caller]
fn same(calls: &[(&str, i32)]) -> Vec<i32> {
    let (whole, parts) = parts();
    let (mut one, whole) = start(&whole, &[]);
    let (mut two, split) = start(&parts.first, &parts.later);
    for (name, argument) in calls {
        let call = |store: &mut Store<Page>, instance: Instance| {
            let function = instance.get_typed_func::<i32, i32>(&*store, name).expect("an export");
            function.call(store, *argument).expect("it does not trap")
        };
        assert_eq!(call(&mut one, whole), call(&mut two, split), "{name} {argument}");
    }
    let stack = |store: &mut Store<Page>, instance: Instance| {
        let function = instance.get_typed_func::<(), i32>(&*store, "stack").expect("an export");
        function.call(store, ()).expect("it does not trap")
    };
    assert_eq!(stack(&mut one, whole), stack(&mut two, split), "a global that all parts change");
    assert_eq!(one.data().logged, two.data().logged, "calls of imports");
    two.data().loads.clone()
}

#[test]
fn what_is_not_of_the_rest_runs_without_it() {
    assert_eq!(same(&[("shell", 21), ("loop", 5), ("indirect", 1), ("words", 3)]), NONE);
}

#[test]
fn what_is_short_and_calls_nothing_of_the_rest_stays_whatever_its_name() {
    assert_eq!(same(&[("alike", 3)]), NONE);
}

#[test]
fn the_rest_is_fetched_once_and_does_what_it_did() {
    assert_eq!(same(&[("shell", 1), ("run", 1), ("shell", 2), ("run", 1)]), [1]);
    assert_eq!(same(&[("indirect", 0), ("run", 1)]), [1]);
    assert_eq!(same(&[("indirect", 2)]), [1]);
}

#[test]
fn parts_come_in_any_order_and_call_each_other() {
    assert_eq!(same(&[("rare", 4), ("rare", 3)]), [2]);
    assert_eq!(same(&[("rare", 4), ("run", 3), ("both", 2)]), [2, 1]);
    assert_eq!(same(&[("both", 5), ("run", 1), ("rare", 1)]), [1, 2]);
    assert_eq!(same(&[("indirect", 3)]), [2, 1]);
    assert_eq!(same(&[("indirect", 4), ("shell", 1)]), [2]);
}

#[test]
fn exports_of_the_rest_keep_their_types() {
    let (_, parts) = parts();
    let (mut store, instance) = start(&parts.first, &parts.later);
    let function = instance.get_typed_func::<(i32, i64, f64), i32>(&store, "exported").expect("an export");
    assert_eq!(function.call(&mut store, (1, 20, 300.0)).expect("it does not trap"), 321);
    assert_eq!(store.data().loads, [1]);
}

#[test]
fn each_function_is_where_the_rules_say() {
    let (_, parts) = parts();
    let place = |name: &str| {
        let line = parts.report.lines().find(|line| line.ends_with(name)).unwrap_or_else(|| panic!("no {name}"));
        line.split_whitespace().nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(place("shell::loop"), "first");
    assert_eq!(place("shell::double"), "first+copy");
    assert_eq!(place("kubectl::run"), "rest+door");
    assert_eq!(place("kubectl::inner"), "rest");
    assert_eq!(place("<alloc::Vec<kubectl::Row>>::push"), "rest");
    assert_eq!(place("<alloc::Box<kubectl::Get>>::drop"), "rest+door");
    assert_eq!(place("kubectl::rare::list"), "rest", "it is short and calls nothing later");
    assert_eq!(place("cel::compile"), "rare+door+copy");
    assert_eq!(place("<alloc::Vec<cel::Ast>>::push"), "rare+copy");
    assert_eq!(place("kubectl::words::find"), "first");
}

#[test]
fn the_parts_are_valid_have_no_names_and_are_the_same_each_time() {
    let (_, parts) = parts();
    for part in parts.later.iter().chain([&parts.first]) {
        wasmparser::validate(part).expect("valid");
        assert!(!part.windows(7).any(|bytes| bytes == b"kubectl"), "a name is left");
    }
    let again = self::parts().1;
    assert!(parts.first == again.first && parts.later == again.later);
}

#[test]
fn a_module_that_cannot_fetch_parts_is_refused() {
    let lonely = wat::parse_str("(module (table 1 funcref) (global i32 (i32.const 0)) (func))").expect("right");
    let error = split(&lonely, &RULES).err().expect("it has no such import");
    assert!(format!("{error:#}").contains("kubonsaiLoadPart"), "{error:#}");
}
