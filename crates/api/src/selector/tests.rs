use json::json;

use super::*;
use crate::object::string_map;

#[test]
fn selectors_parse_to_their_canonical_form() {
    for (text, canonical) in [
        ("", ""),
        ("a=b", "a=b"),
        ("b==c, a", "a,b==c"),
        ("a!=", "a!="),
        ("e in (y, x),!f", "e in (x,y),!f"),
        ("x notin (a)", "x notin (a)"),
        ("n>5,m<7", "m<7,n>5"),
        ("in in (in)", "in in (in)"),
        ("a in (,b)", "a in (,b)"),
    ] {
        assert_eq!(LabelSelector::parse(text).map(|s| s.to_string()), Ok(canonical.to_owned()), "{text}");
    }
}

#[test]
fn refusals_are_those_of_the_recordings() {
    for (text, message) in [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        (
            "a>b",
            "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer",
        ),
        ("a,", "found '', expected: identifier after ','"),
        (",a", "found ',', expected: !, identifier, or 'end of string'"),
        (
            "a in ()",
            "unable to parse requirement: values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
        ),
    ] {
        assert_eq!(LabelSelector::parse(text), Err(message.to_owned()), "{text}");
    }
    let bad = LabelSelector::parse("-x=1").unwrap_err();
    assert!(bad.starts_with("unable to parse requirement: <nil>: Invalid value: \"-x\": name part must"), "{bad}");
    let bad = LabelSelector::parse("x=a+b").unwrap_err();
    assert!(
        bad.starts_with("unable to parse requirement: values[0][x]: Invalid value: \"a+b\": a valid label"),
        "{bad}"
    );
}

#[test]
fn selectors_match() {
    let labels = string_map(&json!({"app": "web", "tier": "front", "n": "6"}));
    for (text, expected) in [
        ("", true),
        ("app=web", true),
        ("app!=web", false),
        ("other!=x", true),
        ("app in (web,api)", true),
        ("app notin (web,api)", false),
        ("other notin (x)", true),
        ("tier", true),
        ("!tier", false),
        ("n>5", true),
        ("n<5", false),
        ("app>5", false),
    ] {
        assert_eq!(LabelSelector::parse(text).unwrap().matches(&labels), expected, "{text}");
    }
    assert!(!LabelSelector::nothing().matches(&labels));
    assert!(LabelSelector::from_map(&labels).matches_value(&json!({"app": "web", "tier": "front", "n": "6", "z": ""})));
}

#[test]
fn json_selectors_convert_and_print() {
    let selector = json!({"matchLabels": {"b": "1", "a": "2"}, "matchExpressions": [
        {"key": "c", "operator": "In", "values": ["y", "x"]}, {"key": "d", "operator": "Exists"}]});
    assert_eq!(format_label_selector(&selector), "a=2,b=1,c in (x,y),d");
    assert_eq!(format_label_selector(&json!({})), "<none>");
    assert_eq!(format_label_selector(&json!({"matchExpressions": [{"key": "c", "operator": "Foo"}]})), "<error>");
    assert!(LabelSelector::from_value(&json!({})).unwrap().is_everything());
    assert_eq!(LabelSelector::from_value(&json!(null)), Ok(LabelSelector::nothing()));
}

#[test]
fn field_selectors() {
    let pod = crate::Object::new(json!({"metadata": {"name": "web"}, "status": {"phase": "Running"}}));
    for (text, expected) in [
        ("", true),
        ("status.phase=Running", true),
        ("status.phase==Running,metadata.name=web", true),
        ("metadata.name!=web", false),
        ("spec.nodeName=", true),
        ("spec.unschedulable=false", true),
    ] {
        assert_eq!(FieldSelector::parse(text).unwrap().matches_object(&pod), expected, "{text}");
    }
    assert_eq!(FieldSelector::parse("foo"), Err("invalid selector: 'foo'; can't understand 'foo'".to_owned()));
    assert!(FieldSelector::parse("a=b=c").is_err());
    let escaped = FieldSelector::parse(r"b==x\,y,a!=1").unwrap();
    assert_eq!(escaped.to_string(), r"a!=1,b=x\,y");
    assert_eq!(escaped.exact("b"), Some("x,y"));
}
