use json::json;

use super::*;

#[test]
fn messages_are_those_of_the_recordings() {
    let mut errors = FieldErrors::new();
    errors.push(FieldError::invalid("spec.ports[0].port", 99999, "must be between 1 and 65535, inclusive"));
    let one = errors.clone();
    errors.push(FieldError::required("spec.selector", ""));
    for (status, code, message) in [
        (Status::not_found("apps", "deployments", "nope"), 404, r#"deployments.apps "nope" not found"#),
        (Status::not_found("", "pods", "web"), 404, r#"pods "web" not found"#),
        (Status::already_exists("", "services", "web"), 409, r#"services "web" already exists"#),
        (
            Status::modified("", "pods", "nginx"),
            409,
            r#"Operation cannot be fulfilled on pods "nginx": the object has been modified; please apply your changes to the latest version and try again"#,
        ),
        (
            Status::forbidden("", "pods", "nginx", "no PriorityClass with name ghost was found"),
            403,
            r#"pods "nginx" is forbidden: no PriorityClass with name ghost was found"#,
        ),
        (
            Status::invalid("", "Service", "web-bp", &one),
            422,
            r#"Service "web-bp" is invalid: spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535, inclusive"#,
        ),
        (
            Status::invalid("apps", "Deployment", "x", &errors),
            422,
            r#"Deployment.apps "x" is invalid: [spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535, inclusive, spec.selector: Required value]"#,
        ),
        (
            Status::unsupported_media_type(&["application/json-patch+json", "application/merge-patch+json"]),
            415,
            "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json",
        ),
    ] {
        assert_eq!((status.code, status.message.as_str()), (code, message));
        assert_eq!(Status::from_value(&status.to_value()).as_ref(), Some(&status), "survives the wire");
    }
}

#[test]
fn the_wire_form_has_details_and_causes() {
    let mut errors = FieldErrors::new();
    errors.push(FieldError::not_supported("spec.type", "Foo", &["ClusterIP", "NodePort"]));
    assert_eq!(
        Status::invalid("", "Service", "web-bad", &errors).to_value(),
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Invalid", "code": 422,
            "message": "Service \"web-bad\" is invalid: spec.type: Unsupported value: \"Foo\": supported values: \"ClusterIP\", \"NodePort\"",
            "details": {"name": "web-bad", "kind": "Service", "causes": [{
                "reason": "FieldValueNotSupported", "field": "spec.type",
                "message": "Unsupported value: \"Foo\": supported values: \"ClusterIP\", \"NodePort\"",
            }]},
        })
    );
    assert_eq!(
        Status::deleted("apps", "deployments", "web", "u").to_value(),
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
               "details": {"name": "web", "group": "apps", "kind": "deployments", "uid": "u"}})
    );
}

#[test]
fn field_errors_show_values_as_upstream_does() {
    for (error, shown) in [
        (
            FieldError::invalid(
                "spec.template.metadata.labels",
                json!({"app": "nginx"}),
                "`selector` does not match template `labels`",
            ),
            r#"spec.template.metadata.labels: Invalid value: {"app":"nginx"}: `selector` does not match template `labels`"#,
        ),
        (FieldError::invalid("spec.selector", Value::Null, "x"), "spec.selector: Invalid value: null: x"),
        (
            FieldError::duplicate("spec.containers[1].name", "nginx"),
            r#"spec.containers[1].name: Duplicate value: "nginx""#,
        ),
        (
            FieldError::not_found("spec.containers[0].volumeMounts[0].name", "nope"),
            r#"spec.containers[0].volumeMounts[0].name: Not found: "nope""#,
        ),
        (
            FieldError::forbidden("data", "field is immutable when `immutable` is set"),
            "data: Forbidden: field is immutable when `immutable` is set",
        ),
        (FieldError::too_long("data", 10), "data: Too long: may not be more than 10 bytes"),
        (FieldError::too_many("a", 3, 1), "a: Too many: 3: must have at most 1 item"),
    ] {
        assert_eq!(error.to_string(), shown);
    }
}

#[test]
fn an_answer_says_when_to_try_again() {
    let response = Status::too_many_requests("later", 3).into_response();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()[header::RETRY_AFTER], "3");
}
