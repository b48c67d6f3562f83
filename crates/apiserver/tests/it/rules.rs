//! Rules in CEL of custom resources: what is said of definitions and of objects.

use expect_test::{Expect, expect};
use json::{Value, json};

use crate::harness::Harness;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const TABS: &str = "/apis/stable.example.com/v1/namespaces/default/crontabs";

fn definition(schema: Value) -> Value {
    json!({
        "metadata": {"name": "crontabs.stable.example.com"},
        "spec": {
            "group": "stable.example.com", "scope": "Namespaced", "names": {"plural": "crontabs", "kind": "CronTab"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": schema}}],
        },
    })
}

fn spec(rules: Value, properties: Value) -> Value {
    let spec = json!({"type": "object", "x-kubernetes-validations": rules, "properties": properties});
    json!({"type": "object", "properties": {"spec": spec}})
}

fn with(schema: Value) -> Harness {
    let h = Harness::new();
    h.ok("POST", DEFINITIONS, definition(schema));
    h
}

/// What is said of a definition with this schema.
fn refused(schema: Value, expected: Expect) {
    expected.assert_eq(&Harness::new().refusal("POST", DEFINITIONS, definition(schema)));
}

fn tab(spec: Value) -> Value {
    json!({"metadata": {"name": "x"}, "spec": spec})
}

/// The causes of a refusal, a line each.
fn causes(h: &Harness, (method, path): (&str, &str), body: Value, expected: Expect) {
    let (_, status) = h.call(method, path, body);
    let causes = status["details"]["causes"].as_array().unwrap_or_else(|| panic!("{status}"));
    let line = |c: &Value| {
        let text = |name: &str| c[name].as_str().unwrap_or_default().to_owned();
        format!("{} | {} | {}\n", text("reason"), text("field"), text("message"))
    };
    expected.assert_eq(&causes.iter().map(line).collect::<String>());
}

#[test]
fn definitions_are_told_where() {
    let number = json!({"replicas": {"type": "integer"}});
    refused(
        spec(json!([{"rule": "self.x > 1"}]), number.clone()),
        expect![[r#"
        422 Invalid: CustomResourceDefinition.apiextensions.k8s.io "crontabs.stable.example.com" is invalid: spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self.x \u003e 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:5: undefined field 'x'
         | self.x > 1
         | ....^"#]],
    );
    refused(
        spec(
            json!([
                {"rule": "self.replicas"},
                {"rule": "self.replicas > 1", "messageExpression": "self.replicas"},
                {"rule": "self.replicas > 1", "optionalOldSelf": true},
            ]),
            number.clone(),
        ),
        expect![[
            r#"422 Invalid: CustomResourceDefinition.apiextensions.k8s.io "crontabs.stable.example.com" is invalid: [spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self.replicas","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: cel expression must evaluate to a bool, spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[1].messageExpression: Invalid value: {"Rule":"self.replicas \u003e 1","Message":"","MessageExpression":"self.replicas","Reason":null,"FieldPath":"","OptionalOldSelf":null}: messageExpression must evaluate to a string, spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[2].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule]"#
        ]],
    );
    refused(
        spec(
            json!([
                {"rule": " "},
                {"rule": "self.replicas >\n1"},
                {"rule": "true", "message": " ", "reason": "Why", "fieldPath": ".y", "messageExpression": " "},
            ]),
            number,
        ),
        expect![[
            r#"422 Invalid: CustomResourceDefinition.apiextensions.k8s.io "crontabs.stable.example.com" is invalid: [spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule: Required value: rule is not specified, spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[1].message: Required value: message must be specified if rule contains line breaks, spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[2].message: Invalid value: " ": must be non-empty if specified, spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[2].messageExpression: Required value: messageExpression must be non-empty if specified, spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[2].reason: Unsupported value: "Why": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired", spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[2].fieldPath: Invalid value: ".y": must be a valid path]"#
        ]],
    );
    let items = json!({"list": {"type": "array", "maxItems": 3, "items": {"type": "integer",
        "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}}});
    refused(
        spec(json!([]), items),
        expect![[
            r#"422 Invalid: CustomResourceDefinition.apiextensions.k8s.io "crontabs.stable.example.com" is invalid: spec.validation.openAPIV3Schema.properties[spec].properties[list].items.x-kubernetes-validations[0].rule: Invalid value: "self >= oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within spec.validation.openAPIV3Schema.properties[spec].properties[list]"#
        ]],
    );
}

#[test]
fn rules_that_could_cost_too_much() {
    let many = json!({"type": "array", "items": {"type": "integer"}});
    refused(
        spec(json!([{"rule": "self.many.all(x, self.many.all(y, x <= y))"}]), json!({"many": many})),
        expect![[
            r#"422 Invalid: CustomResourceDefinition.apiextensions.k8s.io "crontabs.stable.example.com" is invalid: [spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared), spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema, spec.validation.openAPIV3Schema: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)]"#
        ]],
    );
    let text =
        json!({"type": "string", "maxLength": 100, "x-kubernetes-validations": [{"rule": "self.matches('^[a-z]+$')"}]});
    let some = |most: u64| json!({"list": {"type": "array", "maxItems": most, "items": text}});
    refused(
        spec(json!([]), some(150_000)),
        expect![[
            r#"422 Invalid: CustomResourceDefinition.apiextensions.k8s.io "crontabs.stable.example.com" is invalid: spec.validation.openAPIV3Schema.properties[spec].properties[list].items.x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of 1.245000x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"#
        ]],
    );
    with(spec(json!([]), some(1000)));
    let rules: Vec<Value> = (0..20).map(|_| json!({"rule": "self.a.all(x, x > 1)"})).collect();
    let numbers = json!({"a": {"type": "array", "items": {"type": "integer"}}});
    refused(
        spec(json!(rules), numbers),
        expect![[
            r#"422 Invalid: CustomResourceDefinition.apiextensions.k8s.io "crontabs.stable.example.com" is invalid: [spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema, spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[1].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema, spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[2].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema, spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[3].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema, spec.validation.openAPIV3Schema: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of 1.6x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)]"#
        ]],
    );
}

#[test]
fn objects_are_told_which_rule() {
    let rules = json!([
        {"rule": "self.min <= self.replicas", "message": "replicas should be at least min"},
        {"rule": "self.replicas <= self.max", "fieldPath": ".replicas", "reason": "FieldValueForbidden",
            "messageExpression": "'%d is more than %d'.format([self.replicas, self.max])"},
        {"rule": "self.min != 7"},
        {"rule": "self.env['A'] == 'a'"},
        {"rule": "type(self.port) == int ? self.port > 80 : self.port + 1 == 0"},
    ]);
    let int = json!({"type": "integer"});
    let properties = json!({"min": int, "max": int, "replicas": int, "port": {"x-kubernetes-int-or-string": true},
        "env": {"type": "object", "additionalProperties": {"type": "string"}},
        "name": {"type": "string", "x-kubernetes-validations": [{"rule": "self.startsWith('a')"}]},
        "list": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5, "x-kubernetes-validations": [
            {"rule": "self != 'b'", "message": "no b"}]}}});
    let h = with(spec(rules, properties));
    let bad = json!({"min": 7, "max": 5, "replicas": 6, "port": "http", "env": {}, "name": "b", "list": ["a", "b"]});
    causes(
        &h,
        ("POST", TABS),
        tab(bad),
        expect![[r#"
        FieldValueInvalid | spec | Invalid value: replicas should be at least min
        FieldValueForbidden | spec.replicas | Forbidden: 6 is more than 5
        FieldValueInvalid | spec | Invalid value: failed rule: self.min != 7
        FieldValueInvalid | spec | Invalid value: "object": no such key: A evaluating rule: self.env['A'] == 'a'
        FieldValueInvalid | spec | Invalid value: "object": 'no such overload': call arguments did not match a supported operator, function or macro signature for rule: type(self.port) == int ? self.port > 80 : self.port + 1 == 0
        FieldValueInvalid | spec.list[1] | Invalid value: "b": no b
        FieldValueInvalid | spec.name | Invalid value: "b": failed rule: self.startsWith('a')
    "#]],
    );
    let good = json!({"min": 1, "max": 5, "replicas": 3, "port": 443, "env": {"A": "a"}, "name": "a", "list": []});
    h.ok("POST", TABS, tab(good));
}

#[test]
fn changes_are_compared() {
    let properties = json!({
        "size": {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf", "message": "must not shrink"}]},
        "class": {"type": "string", "x-kubernetes-validations": [
            {"rule": "oldSelf.hasValue() || self == 'new'", "optionalOldSelf": true, "message": "begins as new"}]},
        "ports": {"type": "array", "maxItems": 5, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            "items": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string"},
                "port": {"type": "integer", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}}}},
    });
    let h = with(spec(json!([]), properties));
    causes(
        &h,
        ("POST", TABS),
        tab(json!({"class": "old"})),
        expect![[r#"
        FieldValueInvalid | spec.class | Invalid value: "old": begins as new
    "#]],
    );
    let first = json!({"size": 3, "class": "new", "ports": [{"name": "a", "port": 1}, {"name": "b", "port": 2}]});
    let mut object = h.ok("POST", TABS, tab(first));
    object["spec"] = json!({"size": 2, "class": "old", "ports": [{"name": "b", "port": 3}, {"name": "c", "port": 4}]});
    causes(
        &h,
        ("PUT", &format!("{TABS}/x")),
        object.clone(),
        expect![[r#"
        FieldValueInvalid | spec.ports[0].port | Invalid value: 3: failed rule: self == oldSelf
        FieldValueInvalid | spec.size | Invalid value: 2: must not shrink
    "#]],
    );
    object["spec"] = json!({"size": 4, "class": "old", "ports": [{"name": "b", "port": 2}, {"name": "a", "port": 1}]});
    h.ok("PUT", &format!("{TABS}/x"), object);
}

#[test]
fn what_was_wrong_before_is_only_warned_of() {
    let int = json!({"type": "integer"});
    let h = with(spec(json!([]), json!({"a": int, "b": int})));
    let mut object = h.ok("POST", TABS, tab(json!({"a": 1, "b": 1})));
    let path = format!("{DEFINITIONS}/crontabs.stable.example.com");
    let mut stored = h.get(&path);
    let rules = json!([{"rule": "self > 1", "message": "too small"}]);
    for name in ["a", "b"] {
        stored["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"][name]["x-kubernetes-validations"] =
            rules.clone();
    }
    h.ok("PUT", &path, stored);
    object["spec"] = json!({"a": 1, "b": 0});
    causes(
        &h,
        ("PUT", &format!("{TABS}/x")),
        object.clone(),
        expect![[r#"
        FieldValueInvalid | spec.b | Invalid value: 0: too small
    "#]],
    );
    object["spec"] = json!({"a": 1, "b": 5});
    h.ok("PUT", &format!("{TABS}/x"), object);
}

#[test]
fn statuses_keep_rules() {
    let status = json!({"type": "object", "properties": {"ready": {"type": "integer", "x-kubernetes-validations": [
        {"rule": "self >= 0", "message": "must not be negative"}]}}});
    let rule =
        json!([{"rule": "self.metadata.name.startsWith('x')"}, {"rule": "!has(self.status) || self.status.ready < 9"}]);
    let h = with(json!({"type": "object", "x-kubernetes-validations": rule,
        "properties": {"spec": {"type": "object"}, "status": status}}));
    let mut object = h.ok("POST", TABS, tab(json!({})));
    object["status"] = json!({"ready": -1});
    causes(
        &h,
        ("PUT", &format!("{TABS}/x/status")),
        object.clone(),
        expect![[r#"
        FieldValueInvalid | status.ready | Invalid value: -1: must not be negative
    "#]],
    );
    object["status"] = json!({"ready": 10});
    causes(
        &h,
        ("PUT", &format!("{TABS}/x/status")),
        object,
        expect![[r#"
        FieldValueInvalid | <nil> | Invalid value: failed rule: !has(self.status) || self.status.ready < 9
    "#]],
    );
    let mut other = tab(json!({}));
    other["metadata"]["name"] = "y".into();
    causes(
        &h,
        ("POST", TABS),
        other,
        expect![[r#"
        FieldValueInvalid | <nil> | Invalid value: failed rule: self.metadata.name.startsWith('x')
    "#]],
    );
}

#[test]
fn rules_wait_for_the_schema() {
    let rules = json!([{"rule": "self.replicas > 1"}]);
    let h = with(spec(rules, json!({"replicas": {"type": "integer"}})));
    causes(
        &h,
        ("POST", TABS),
        tab(json!({"replicas": "three"})),
        expect![[r#"
        FieldValueTypeInvalid | spec.replicas | Invalid value: "string": spec.replicas in body must be of type integer: "string"
        FieldValueInvalid | <nil> | Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation
    "#]],
    );
    causes(
        &h,
        ("POST", TABS),
        tab(json!({})),
        expect![[r#"
        FieldValueInvalid | spec | Invalid value: "object": no such key: replicas evaluating rule: self.replicas > 1
    "#]],
    );
}
