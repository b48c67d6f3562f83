//! Expressions and what comes of them: values as cel-go's and Kubernetes' documentation and tests have them.

use expect_test::{Expect, expect};
use json::json;

use super::*;

fn self_type() -> (String, Type) {
    let schema = json!({"type": "object", "required": ["spec"], "properties": {
        "spec": {"type": "object", "properties": {
            "replicas": {"type": "integer"}, "min": {"type": "integer"}, "image": {"type": "string"},
            "port": {"x-kubernetes-int-or-string": true},
            "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "env": {"type": "object", "additionalProperties": {"type": "string"}},
            "max-surge": {"type": "integer"}, "namespace": {"type": "string"},
            "since": {"type": "string", "format": "date-time"},
        }},
    }});
    ("self".into(), schema::declare(&schema, true, "selfType").unwrap().of)
}

fn wrong(source: &str, expected: Expect) {
    let found = compile(source, &[self_type()]).err().map_or_else(String::new, |issues| issues.to_string());
    expected.assert_eq(&found);
}

/// What an expression without variables comes to, compared with another.
fn same(source: &str, expected: &str) {
    let source = format!("({source}) == ({expected})");
    let program = compile(&source, &[]).unwrap_or_else(|why| panic!("{why}"));
    let found = program.eval(&[], PER_CALL_COST_MAX).result;
    assert_eq!(found.map(|v| v == Value::Bool(true)), Ok(true), "{source}");
}

fn holds(source: &str) {
    same(source, "true");
}

fn fails(source: &str, expected: &str) {
    let program = compile(source, &[]).unwrap_or_else(|why| panic!("{why}"));
    match program.eval(&[], PER_CALL_COST_MAX).result {
        Err(why) => assert_eq!(why.to_string(), expected, "{source}"),
        Ok(value) => panic!("{source}: {value:?}"),
    }
}

fn cost(source: &str, expected: u64) {
    let program = compile(source, &[("x".into(), Type::Int)]).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(program.eval(&[("x", Value::Int(3))], PER_CALL_COST_MAX).cost, expected, "{source}");
}

#[test]
fn texts_may_end_anywhere() {
    for source in ["'", "'\\", "'''\\", "b\"a\\", "r'\\", "`", "0x", "1e", "//"] {
        assert!(compile(source, &[]).is_err(), "{source}");
    }
}

#[test]
fn complaints_have_places() {
    wrong(
        "self.x > 1",
        expect![[r#"
        ERROR: <input>:1:5: undefined field 'x'
         | self.x > 1
         | ....^"#]],
    );
    wrong(
        "self.spec.replicas > foo",
        expect![[r#"
        ERROR: <input>:1:22: undeclared reference to 'foo' (in container '')
         | self.spec.replicas > foo
         | .....................^"#]],
    );
    wrong(
        "self.spec.replicas == 'a'",
        expect![[r#"
        ERROR: <input>:1:20: found no matching overload for '_==_' applied to '(int, string)'
         | self.spec.replicas == 'a'
         | ...................^"#]],
    );
    wrong(
        "self.spec.image.startsWith(1)",
        expect![[r#"
        ERROR: <input>:1:27: found no matching overload for 'startsWith' applied to 'string.(int)'
         | self.spec.image.startsWith(1)
         | ..........................^"#]],
    );
    wrong(
        "self.spec.replicas.foo",
        expect![[r#"
        ERROR: <input>:1:19: type 'int' does not support field selection
         | self.spec.replicas.foo
         | ..................^"#]],
    );
    wrong(
        "self.spec + 1",
        expect![[r#"
        ERROR: <input>:1:11: found no matching overload for '_+_' applied to '(selfType.spec, int)'
         | self.spec + 1
         | ..........^"#]],
    );
    wrong(
        "self.spec.replicas.all(x, true) &&\n has(self)",
        expect![[r#"
        ERROR: <input>:2:6: invalid argument to has() macro
         |  has(self)
         | .....^"#]],
    );
    wrong(
        "[1, 'a']",
        expect![[r#"
        ERROR: <input>:1:5: expected type 'int' but found 'string'
         | [1, 'a']
         | ....^"#]],
    );
    wrong(
        "self.spec.replicas.all(x, true)",
        expect![[r#"
            ERROR: <input>:1:10: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)
             | self.spec.replicas.all(x, true)
             | .........^"#]],
    );
    wrong(
        "'a'.matches('(')",
        expect![[r#"
        ERROR: <input>:1:13: invalid matches argument
         | 'a'.matches('(')
         | ............^"#]],
    );
}

#[test]
fn syntax() {
    wrong(
        "self.spec.replicas >",
        expect![[r#"
        ERROR: <input>:1:21: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}
         | self.spec.replicas >
         | ....................^"#]],
    );
    wrong(
        "1 2",
        expect![[r#"
        ERROR: <input>:1:3: Syntax error: extraneous input '2' expecting <EOF>
         | 1 2
         | ..^"#]],
    );
    wrong(
        "for + 1",
        expect![[r#"
        ERROR: <input>:1:1: reserved identifier: for
         | for + 1
         | ^"#]],
    );
    wrong(
        "1 $ 2",
        expect![[r#"
        ERROR: <input>:1:3: Syntax error: token recognition error at: '$'
         | 1 $ 2
         | ..^
        ERROR: <input>:1:5: Syntax error: extraneous input '2' expecting <EOF>
         | 1 $ 2
         | ....^"#]],
    );
}

#[test]
fn numbers_and_logic() {
    same("1 + 2 * 3 - 4 / 2", "5");
    same("-7 % 3", "-1");
    same("0x1F + 1", "32");
    same("true ? 1 : 2", "1");
    holds("dyn(1) == 1.0 && dyn(1u) == 1 && 2 > 1.5 && !(1 > 2u)");
    holds("true || 1 / 0 == 1");
    holds("1 / 0 == 1 || true");
    holds("!(false && 1 / 0 == 1)");
    holds("[1, 2, 0].exists(x, 4 / x == 4)");
    holds("[0, 1].exists(x, 4 / x == 4)");
    same("int('42') + int(3.9) + int(2u)", "47");
    same("double('1.5') * 2.0", "3.0");
    same("string(1.0) + string(true) + string(b'x')", "'1truex'");
    same("type(1)", "int");
    holds("type([1]) == list && type({}) == map && type(null) == null_type");
    fails("1 / 0", "division by zero");
    fails("1 % 0", "modulus by zero");
    fails("9223372036854775807 + 1", "integer overflow");
    fails("uint(-1)", "unsigned integer overflow");
    fails("int('x')", "type conversion error from 'string' to 'int'");
    fails("[1, 2][3]", "index out of bounds: 3");
    fails("{'a': 1}['b']", "no such key: b");
    fails("{'a': 1}.b", "no such key: b");
    fails("dyn(1) + dyn('a')", "no such overload");
}

#[test]
fn loops() {
    same("[1, 2, 3].map(x, x * 2)", "[2, 4, 6]");
    same("[1, 2, 3].map(x, x > 1, x * 2)", "[4, 6]");
    same("[1, 2, 3].filter(x, x > 1)", "[2, 3]");
    same("{'a': 1, 'b': 2}.map(k, k)", "['a', 'b']");
    holds("[1, 2, 2].exists_one(i, i < 2)");
    holds("[].all(x, x > 0) && ![].exists(x, x > 0)");
    holds("[[1], [2]].all(x, x.all(y, y > 0))");
    same("[10, 20].transformList(i, v, i + v)", "[10, 21]");
    same("{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 10)", "{'b': 20}");
    holds("{'a': 1}.all(k, v, k == 'a' && v == 1) && [5].exists(i, v, i == 0 && v == 5)");
    holds("{'a': 1}.existsOne(k, v, v == 1)");
}

#[test]
fn optionals() {
    same("{'a': 1}.?a.orValue(2)", "1");
    same("{'a': 1}.?b.orValue(2)", "2");
    same("[1, 2][?5].hasValue()", "false");
    same("{'a': {'b': 3}}.?a.?b.value()", "3");
    same("optional.of(2).optMap(x, x + 1).value()", "3");
    same("optional.none().or(optional.of(1)).value()", "1");
    same("{'a': 1}.?a.optFlatMap(x, x > 5 ? optional.of(x) : optional.none()).hasValue()", "false");
    same("[?optional.of(1), ?optional.none()]", "[1]");
    same("{?'a': optional.none(), 'b': 1}", "{'b': 1}");
    same("[1, 2].first().value() + [1, 2].last().value()", "3");
    fails("optional.none().value()", "optional.none() dereference");
    holds("optional.ofNonZeroValue('') == optional.none()");
}

#[test]
fn texts() {
    same("'Hello'.lowerAscii() + 'x'.upperAscii()", "'helloX'");
    same("'a,b,c'.split(',')", "['a', 'b', 'c']");
    same("'a,b,c'.split(',', 2)", "['a', 'b,c']");
    same("['a', 'b'].join('-')", "'a-b'");
    same("'hello hello'.replace('he', 'we', 1)", "'wello hello'");
    same("'tacocat'.substring(4) + 'tacocat'.substring(0, 4)", "'cattaco'");
    same("'hello mellow'.indexOf('ello') * 100 + 'hello mellow'.lastIndexOf('ello')", "107");
    same("'  x '.trim()", "'x'");
    same("'abc'.charAt(1)", "'b'");
    same("'%s has %d of %.2f'.format(['x', 3, 1.5])", "'x has 3 of 1.50'");
    same(r#"strings.quote('a"b')"#, r#"'"a\\"b"'"#);
    same("size('日本')", "2");
    holds("'abc'.matches('^[a-c]+$') && matches('abc', 'b')");
    same("'abc 123 def 45'.find('[0-9]+')", "'123'");
    same("'abc 123 def 45'.findAll('[0-9]+')", "['123', '45']");
    same(r"r'\d' + '\x41\u0042\103'", r"'\\dABC'");
    fails("'abc'.substring(5)", "index out of range: 5");
    fails("'abc'.substring(2, 1)", "invalid substring range. start: 2, end: 1");
}

#[test]
fn lists_and_sets() {
    holds("[1, 2, 3].isSorted() && !['b', 'a'].isSorted()");
    same("[1, 3].sum() + [4, 2].min() + [4, 2].max()", "10");
    same("[1, 2, 2].indexOf(2) + [1, 2, 2].lastIndexOf(2)", "3");
    holds("sets.contains([1, 2, 3], [2]) && sets.equivalent([1, 1], [1]) && !sets.intersects([1], [2])");
    same("[1, 2, 3, 4].slice(1, 3)", "[2, 3]");
    same("[[1], [2, 3]].flatten()", "[1, 2, 3]");
    same("[3, 1, 2].sort()", "[1, 2, 3]");
    same("[1, 2, 1].distinct()", "[1, 2]");
    same("lists.range(3)", "[0, 1, 2]");
    holds("2 in [1, 2] && 'a' in {'a': 1} && !(3 in [1])");
    same("[3, 1, 2].sortBy(e, -e)", "[3, 2, 1]");
    same("['b', 'a'].sortBy(e, e).map(e, e + 'x')", "['ax', 'bx']");
    fails("[].max()", "max called on empty list");
}

#[test]
fn libraries_of_kubernetes() {
    holds("quantity('1.5Gi').isGreaterThan(quantity('1Gi')) && isQuantity('1k') && !isQuantity('1kk')");
    holds("quantity('1k').add(24).compareTo(quantity('1024')) == 0 && quantity('50k').asInteger() == 50000");
    holds("ip('10.0.0.1').family() == 4 && isIP('::1') && !isIP('1.2.3') && ip('::1').isLoopback()");
    holds("cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')");
    holds("string(cidr('192.168.1.5/24').masked()) == '192.168.1.0/24' && cidr('10.0.0.0/8').prefixLength() == 8");
    holds("url('https://example.com:80/a%20b?x=1').getPort() == '80' && isURL('/path') && !isURL('../x')");
    holds("url('https://[::1]:80/').getHostname() == '::1' && url('https://a.b/c?k=v').getQuery()['k'] == ['v']");
    holds("semver('1.2.3').isLessThan(semver('1.10.0')) && isSemver('1.0.0-rc.1') && !isSemver('1.0')");
    holds("semver('v1.2', true).minor() == 2 && semver('1.0.0-a').compareTo(semver('1.0.0')) == -1");
    holds("!format.dns1123Label().validate('my-label').hasValue()");
    holds("format.named('dns1123Label').value().validate('Not_A_Label').hasValue()");
    holds("timestamp('2026-01-02T03:04:05Z').getHours() == 3 && duration('90m') == duration('1h30m')");
    holds("timestamp('2026-01-02T00:00:00Z') + duration('24h') == timestamp('2026-01-03T00:00:00Z')");
    fails(
        "ip('x')",
        "IP Address \"x\" parse error during conversion from string: ParseAddr(\"x\"): unable to parse IP",
    );
}

#[test]
fn objects_by_their_schema() {
    let (name, of) = self_type();
    let given = json!({"metadata": {"name": "a"}, "spec": {
        "replicas": 3, "port": "http", "tags": ["a", "b"], "max-surge": 1, "namespace": "n", "env": {"K": "v"},
        "since": "2026-01-01T00:00:00Z"}});
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "replicas": {"type": "integer"}, "port": {"x-kubernetes-int-or-string": true},
        "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "env": {"type": "object", "additionalProperties": {"type": "string"}},
        "max-surge": {"type": "integer"}, "namespace": {"type": "string"},
        "since": {"type": "string", "format": "date-time"}}}}});
    let value = schema::value(&given, &schema, true);
    for source in [
        "self.spec.replicas == 3 && self.metadata.name == 'a'",
        "type(self.spec.port) == string ? self.spec.port == 'http' : self.spec.port > 80",
        "self.spec.tags == ['b', 'a'] && self.spec.tags + ['a', 'c'] == ['a', 'b', 'c']",
        "self.spec.max__dash__surge == 1 && self.spec.__namespace__ == 'n' && self.spec.namespace == 'n'",
        "self.spec.env.K == 'v' && 'K' in self.spec.env && has(self.spec.env.K) && !has(self.spec.image)",
        "self.spec.since.getFullYear() == 2026",
        "self.spec.?image.orValue('none') == 'none'",
    ] {
        let program = compile(source, &[(name.clone(), of.clone())]).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(*program.output(), Type::Bool, "{source}");
        let found = program.eval(&[("self", value.clone())], PER_CALL_COST_MAX).result;
        assert_eq!(found, Ok(Value::Bool(true)), "{source}");
    }
    let program = compile("self.spec.image == ''", &[(name, of)]).unwrap();
    let found = program.eval(&[("self", value)], PER_CALL_COST_MAX).result;
    assert_eq!(found, Err(Failure::Failed("no such key: image".into())));
}

#[test]
fn costs() {
    cost("x == 3", 2);
    // What is constant is made once, beforehand.
    cost("[1, 2, 3].size() == 3", 2);
    cost("x in [1, 2, 3]", 1);
    cost("[x, 2].size() == 3", 13);
    cost("x > 5 ? 1 : x", 2);
    cost("'abcdefghijk'.startsWith('a')", 2);
    cost("[x, 1].sum() + [1, x].map(y, y * 2).size()", 11 + 1 + 2 + 1 + 10 + 2 * (1 + 1 + 11 + 1) + 1 + 1);
    cost("[1, 2, 3].all(y, y > 0)", 3 * (1 + 1 + 1 + 1 + 1) + 1);
    let program = compile("[1, 2].all(a, [1, 2].all(b, a > 0 && b > 0))", &[]).unwrap();
    assert_eq!(program.eval(&[], 15).result, Err(Failure::TooCostly));
}

#[test]
fn costs_that_can_be() {
    let schema = json!({"type": "object", "properties": {
        "n": {"type": "integer"}, "s": {"type": "string", "maxLength": 100}, "long": {"type": "string"},
        "list": {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 5}},
        "many": {"type": "array", "items": {"type": "integer"}},
    }});
    let own = schema::declare(&schema, false, "selfType").unwrap();
    let check = |source: &str, expected: u64| {
        let program = compile(source, &[("self".into(), own.of.clone())]).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(program.cost_max(&own), expected, "{source}");
    };
    check("self.n > 1", 3);
    check("has(self.n)", 1);
    check("self.s.startsWith('abc')", 3);
    check("self.s.contains('abc')", 2 + 40);
    check("self.s == self.long", 4 + 40);
    // Ten times: the condition, a name and one call; the step, a name and a comparison of a text with one character.
    check("self.list.all(x, x == 'a')", 2 + 10 * (2 + 1 + 1 + 1) + 1);
    check("self.list.size() == 1", 2 + 1 + 1);
    let unbounded = compile("self.many.all(x, self.many.all(y, x <= y))", &[("self".into(), own.of.clone())]).unwrap();
    assert!(unbounded.cost_max(&own) > 1_000_000_000);
}

#[test]
fn nothing_is_too_deep() {
    for source in [
        format!("{}1{}", "(".repeat(400), ")".repeat(400)),
        vec!["1"; 2000].join(" + "),
        format!("[]{}", "[0]".repeat(2000)),
        format!("{} 2", "true ? 1 : ".repeat(600)),
        format!("{}1{}", "[".repeat(400), "]".repeat(400)),
    ] {
        let why = compile(&source, &[]).err().map_or_else(String::new, |why| why.to_string());
        assert!(why.contains("expression recursion limit exceeded: "), "{why:.200}");
    }
    holds(&vec!["true"; 2000].join(" && "));
    holds(&format!("{}true{}", "(".repeat(90), ")".repeat(90)));
}

#[test]
fn nothing_grows_without_end() {
    let deep = |start: &str, step: &str, times: usize| format!("{start}{}", step.repeat(times));
    let never = |source: &str| {
        let Ok(program) = compile(source, &[]) else { return };
        assert!(program.eval(&[], PER_CALL_COST_MAX).result.is_err(), "{source:.100}");
    };
    never(&deep("[1, 2]", ".map(x, [x, x])", 40));
    never(&deep("optional.of([1])", ".optMap(x, x + x)", 40));
    never(&deep("optional.of([1])", ".optMap(x, [x, x])", 22));
    never(&format!("'{}'.replace('', '{}')", "a".repeat(10_000), "b".repeat(10_000)));
    let lists = deep("optional.of([1, 2, 3, 4])", ".optMap(x, [x, x, x, x])", 10);
    never(&format!("{lists}.value().flatten(20).size() == {lists}.value().flatten(20).size() && 1 / 0 == 1"));
}

#[test]
fn escaped_names() {
    for (name, escaped) in [
        ("a-b", Some("a__dash__b")),
        ("a.b/c", Some("a__dot__b__slash__c")),
        ("a__b", Some("a__underscores__b")),
        ("namespace", Some("__namespace__")),
        ("1a", None),
        ("a b", None),
    ] {
        assert_eq!(schema::escape(name).as_deref(), escaped, "{name}");
    }
}

/// A host that has one variable that is a number, one that fails, and lets everybody do what is about pods.
struct Asked {
    computed: std::cell::Cell<u32>,
}

impl Host for Asked {
    fn variable(&self, name: &str) -> Option<Result<Value, Failure>> {
        self.computed.set(self.computed.get() + 1);
        match name {
            "number" => Some(Ok(Value::Int(7))),
            "broken" => Some(Err(Failure::Failed("it is broken".into()))),
            _ => None,
        }
    }

    fn check(&self, wanted: &access::Access, verb: &str) -> access::Decision {
        let shown = format!("{wanted:?}");
        access::Decision { allowed: shown.contains("\"pods\""), reason: format!("{verb} {}", shown.contains("Path")) }
    }
}

/// The result of an expression with that host, its cost, and how often a variable was asked for.
fn hosted(source: &str) -> (Result<Value, Failure>, u64, u32) {
    let fields = [("number", Type::Int), ("broken", Type::Bool)].map(|(name, of)| (name.to_owned(), of));
    let of = types::ObjectType { name: "variables".into(), fields: fields.into_iter().collect() };
    let variables = [
        ("variables".to_owned(), Type::Object(std::sync::Arc::new(of))),
        ("authorizer".to_owned(), access::authorizer_type()),
        ("authorizer.requestResource".to_owned(), access::resource_check_type()),
    ];
    let program = compile(source, &variables).unwrap_or_else(|why| panic!("{why}"));
    let resource = access::Resource { resource: "pods".into(), ..access::Resource::default() };
    let values = [("authorizer", Value::authorizer()), ("authorizer.requestResource", Value::resource_check(resource))];
    let host = Asked { computed: 0.into() };
    let outcome = program.eval_with(&values, Some(&host), PER_CALL_COST_MAX);
    (outcome.result, outcome.cost, host.computed.get())
}

#[test]
fn a_host_computes_what_is_asked_for() {
    let holds = Ok(Value::Bool(true));
    assert_eq!(hosted("variables.number == 7"), (holds.clone(), 3, 1));
    assert_eq!(hosted("true || variables.broken"), (holds.clone(), 0, 0));
    assert_eq!(hosted("has(variables.number) && variables.?number == optional.of(7)").0, holds);
    // A name of a loop hides it.
    assert_eq!(hosted("[{'number': 1}].all(variables, variables.number == 1)").0, holds);
    assert_eq!(hosted("variables.broken").0, Err(Failure::Failed("it is broken".into())));
    let unknown =
        compile("variables.other", &[("variables".to_owned(), Type::Object(Default::default()))]).unwrap_err();
    assert_eq!(unknown.list()[0].message, "undefined field 'other'");
}

#[test]
fn the_authorizer_is_asked() {
    let holds = Ok(Value::Bool(true));
    let (found, cost, _) = hosted("authorizer.group('').resource('pods').namespace('x').check('get').allowed()");
    assert_eq!((found, cost), (holds.clone(), 350_005));
    for source in [
        "authorizer.requestResource.check('get').allowed()",
        "authorizer.requestResource.subresource('log').name('x').check('get').reason() == 'get false'",
        "!authorizer.path('/healthz').check('get').allowed() && !authorizer.path('/x').check('x').errored()",
        "authorizer.serviceAccount('a', 'b').path('/healthz').check('post').reason() == 'post true'",
        "authorizer.requestResource.labelSelector('a=b').check('list').error() == ''",
    ] {
        assert_eq!(hosted(source).0, holds, "{source}");
    }
    let wrong = |source: &str, why: &str| assert_eq!(hosted(source).0, Err(Failure::Failed(why.into())), "{source}");
    wrong("authorizer.path(' ').check('get').allowed()", "path must not be empty");
    wrong("authorizer.group('').resource('').check('get').allowed()", "resource must not be empty");
    wrong("authorizer.serviceAccount('a', 'B').path('/x').check('get').allowed()", "Invalid service account name");
    let thrice = "[1, 2, 3].all(x, authorizer.requestResource.check('get').allowed())";
    assert_eq!(hosted(thrice).0, Err(Failure::TooCostly));
}
