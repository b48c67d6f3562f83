//! What names may look like, and the words with which others are refused.
//!
//! Upstream: `k8s.io/apimachinery/pkg/util/validation`, `k8s.io/apimachinery/pkg/api/validation`. Every check gives the
//! list of complaints; an empty list means valid.

/// Longest DNS-1123 or DNS-1035 label, in characters.
pub const LABEL_CHARS_MAX: usize = 63;
/// Longest DNS-1123 subdomain, in characters.
pub const SUBDOMAIN_CHARS_MAX: usize = 253;
/// Longest name of a container port, in characters.
pub const PORT_NAME_CHARS_MAX: usize = 15;

const LABEL_FMT: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_FMT: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";

/// `must be no more than N characters`.
pub fn too_long(max: usize) -> String {
    format!("must be no more than {max} characters")
}

/// `must be between LOW and HIGH, inclusive`.
pub fn not_in_range(low: i64, high: i64) -> String {
    format!("must be between {low} and {high}, inclusive")
}

/// The sentence about a pattern, with its examples (`validation.RegexError`).
pub fn pattern_error(message: &str, pattern: &str, examples: &[&str]) -> String {
    if examples.is_empty() {
        return format!("{message} (regex used for validation is '{pattern}')");
    }
    let examples: Vec<String> = examples.iter().map(|e| format!("'{e}', ")).collect();
    format!("{message} (e.g. {}regex used for validation is '{pattern}')", examples.join(" or "))
}

fn lower_or_digit(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

/// First, last and inner characters satisfy their classes.
fn shaped(text: &str, first: fn(u8) -> bool, inner: fn(u8) -> bool, last: fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(a), Some(z)) => first(*a) && last(*z) && bytes.iter().all(|b| inner(*b)),
        _ => false,
    }
}

fn is_label(text: &str) -> bool {
    shaped(text, lower_or_digit, |b| lower_or_digit(b) || b == b'-', lower_or_digit)
}

/// A DNS-1123 label: the names of namespaces, containers, volumes.
pub fn dns1123_label(value: &str) -> Vec<String> {
    let mut errors = limit(value, LABEL_CHARS_MAX);
    if !is_label(value) {
        let message = if is_subdomain(value) {
            "must not contain dots".to_owned()
        } else {
            pattern_error(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
                LABEL_FMT,
                &["my-name", "123-abc"],
            )
        };
        errors.push(message);
    }
    errors
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

/// A DNS-1123 subdomain: the names of most objects.
pub fn dns1123_subdomain(value: &str) -> Vec<String> {
    let mut errors = limit(value, SUBDOMAIN_CHARS_MAX);
    if !is_subdomain(value) {
        errors.push(pattern_error(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
            SUBDOMAIN_FMT,
            &["example.com"],
        ));
    }
    errors
}

/// A wildcard DNS name such as `*.example.com` (Ingress hosts).
pub fn wildcard_subdomain(value: &str) -> Vec<String> {
    let mut errors = limit(value, SUBDOMAIN_CHARS_MAX);
    if !value.strip_prefix("*.").is_some_and(is_subdomain) {
        errors.push(pattern_error(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
            &format!(r"\*\.{SUBDOMAIN_FMT}"),
            &["*.example.com"],
        ));
    }
    errors
}

/// A DNS-1035 label: the names of Services before they became 1123 labels, and of ports' services.
pub fn dns1035_label(value: &str) -> Vec<String> {
    let mut errors = limit(value, LABEL_CHARS_MAX);
    if !(is_label(value) && value.as_bytes()[0].is_ascii_lowercase()) {
        errors.push(pattern_error(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
            "[a-z]([-a-z0-9]*[a-z0-9])?",
            &["my-name", "abc-123"],
        ));
    }
    errors
}

const QUALIFIED_FMT: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

fn qualified_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')
}

fn is_qualified_part(text: &str) -> bool {
    shaped(text, |b| b.is_ascii_alphanumeric(), qualified_word, |b| b.is_ascii_alphanumeric())
}

/// A label or annotation key: an optional DNS prefix and a name (`IsQualifiedName`).
pub fn qualified_name(value: &str) -> Vec<String> {
    let message = || {
        pattern_error(
            "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            QUALIFIED_FMT,
            &["MyName", "my.name", "123-abc"],
        )
    };
    let mut errors = Vec::new();
    let parts: Vec<&str> = value.split('/').collect();
    let name = match parts[..] {
        [name] => name,
        [prefix, name] => {
            if prefix.is_empty() {
                errors.push("prefix part must be non-empty".to_owned());
            } else {
                errors.extend(dns1123_subdomain(prefix).into_iter().map(|e| format!("prefix part {e}")));
            }
            name
        }
        _ => {
            return vec![format!(
                "a qualified name {} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
                message()
            )];
        }
    };
    if name.is_empty() {
        errors.push("name part must be non-empty".to_owned());
    } else if name.len() > LABEL_CHARS_MAX {
        errors.push(format!("name part {}", too_long(LABEL_CHARS_MAX)));
    }
    if !is_qualified_part(name) {
        errors.push(format!("name part {}", message()));
    }
    errors
}

/// A label value: empty, or like the name part of a key.
pub fn label_value(value: &str) -> Vec<String> {
    let mut errors = limit(value, LABEL_CHARS_MAX);
    if !value.is_empty() && !is_qualified_part(value) {
        errors.push(pattern_error(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            &format!("({QUALIFIED_FMT})?"),
            &["MyValue", "my_value", "12345"],
        ));
    }
    errors
}

/// The name of a container port (`IsValidPortName`).
pub fn port_name(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > PORT_NAME_CHARS_MAX {
        errors.push(too_long(PORT_NAME_CHARS_MAX));
    }
    if !value.bytes().all(|b| lower_or_digit(b) || b == b'-') {
        errors.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned());
    }
    if !value.bytes().any(|b| b.is_ascii_lowercase()) {
        errors.push("must contain at least one letter (a-z)".to_owned());
    }
    if value.contains("--") {
        errors.push("must not contain consecutive hyphens".to_owned());
    }
    if value.starts_with('-') || value.ends_with('-') {
        errors.push("must not begin or end with a hyphen".to_owned());
    }
    errors
}

/// A port number.
pub fn port_number(value: i64) -> Vec<String> {
    if (1..=65_535).contains(&value) { Vec::new() } else { vec![not_in_range(1, 65_535)] }
}

/// The name of an environment variable as kubectl wants it (`IsEnvVarName`).
pub fn env_var_name(value: &str) -> Vec<String> {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if !shaped(value, |b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_' | b'.'), inner, inner) {
        return vec![pattern_error(
            "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
            "[-._a-zA-Z][-._a-zA-Z0-9]*",
            &["my.env-name", "MY_ENV.NAME", "MyEnvName1"],
        )];
    }
    dots(value)
}

/// The name of an environment variable as the API server wants it (`IsRelaxedEnvVarName`).
pub fn relaxed_env_var_name(value: &str) -> Vec<String> {
    if value.is_empty() {
        return vec!["environment variable name must be non-empty".to_owned()];
    }
    if value.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'=') {
        return Vec::new();
    }
    vec!["a valid environment variable name must consist only of printable ASCII characters other than '='".to_owned()]
}

/// A key of a ConfigMap or Secret (`IsConfigMapKey`).
pub fn config_key(value: &str) -> Vec<String> {
    let mut errors = limit(value, SUBDOMAIN_CHARS_MAX);
    if value.is_empty() || !value.bytes().all(qualified_word) {
        errors.push(pattern_error(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            "[-._a-zA-Z0-9]+",
            &["key.name", "KEY_NAME", "key-name"],
        ));
    }
    errors.extend(dots(value));
    errors
}

fn dots(value: &str) -> Vec<String> {
    match value {
        "." => vec!["must not be '.'".to_owned()],
        ".." => vec!["must not be '..'".to_owned()],
        v if v.starts_with("..") => vec!["must not start with '..'".to_owned()],
        _ => Vec::new(),
    }
}

/// A name that may appear as one segment of a path: RBAC objects (`path.IsValidPathSegmentName`).
pub fn path_segment(value: &str) -> Vec<String> {
    if value == "." || value == ".." {
        return vec![format!("may not be '{value}'")];
    }
    ['/', '%'].iter().filter(|c| value.contains(**c)).map(|c| format!("may not contain '{c}'")).collect()
}

/// An IP address.
pub fn ip_address(value: &str) -> Vec<String> {
    match value.parse::<std::net::IpAddr>() {
        Ok(_) => Vec::new(),
        Err(_) => vec!["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned()],
    }
}

/// Checks `generateName` with the check of the name: the dash at its end is not the end of the final name
/// (`maskTrailingDash`).
pub fn prefix(check: fn(&str) -> Vec<String>, value: &str) -> Vec<String> {
    match value.strip_suffix('-') {
        Some(head) if !head.is_empty() => check(&format!("{head}a")),
        _ => check(value),
    }
}

fn limit(value: &str, max: usize) -> Vec<String> {
    if value.len() > max { vec![too_long(max)] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Check = fn(&str) -> Vec<String>;

    #[test]
    fn valid_names_have_no_complaints() {
        let cases: &[(Check, &[&str])] = &[
            (dns1123_label, &["a", "my-name", "123-abc", "0"]),
            (dns1123_subdomain, &["a", "example.com", "1.2.3"]),
            (wildcard_subdomain, &["*.example.com"]),
            (dns1035_label, &["a", "abc-123"]),
            (qualified_name, &["app", "app.kubernetes.io/name", "A_b.c"]),
            (label_value, &["", "v1.0", "a_b"]),
            (port_name, &["http", "a1-b"]),
            (env_var_name, &["PATH", "my.env-name", "_x"]),
            (relaxed_env_var_name, &["1 + 1", "A"]),
            (config_key, &["a.b", "KEY_1", ".hidden"]),
            (path_segment, &["system:node", "a"]),
            (ip_address, &["10.0.0.1", "::1"]),
        ];
        for (check, values) in cases {
            for value in *values {
                assert_eq!(check(value), Vec::<String>::new(), "{value}");
            }
        }
    }

    #[test]
    fn invalid_names_are_refused_in_upstreams_words() {
        let long = "a".repeat(64);
        let cases: &[(Check, &str, &str)] = &[
            (
                dns1123_label,
                "Web_Bad",
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
            ),
            (dns1123_label, &long, "must be no more than 63 characters"),
            (dns1123_label, "a.b", "must not contain dots"),
            (
                dns1123_subdomain,
                "Bad_Name",
                r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
            ),
            (
                qualified_name,
                "bad key",
                "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
            ),
            (
                label_value,
                "x y",
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
            ),
            (
                env_var_name,
                "1BAD",
                "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')",
            ),
            (
                relaxed_env_var_name,
                "A=B",
                "a valid environment variable name must consist only of printable ASCII characters other than '='",
            ),
            (
                dns1035_label,
                "1a",
                "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
            ),
            (path_segment, "a/b", "may not contain '/'"),
        ];
        for (check, value, message) in cases {
            assert_eq!(check(value), [*message], "{value}");
        }
        assert_eq!(dns1123_label("").len(), 1);
        assert_eq!(port_name("A--very-long-name-").len(), 4);
    }

    #[test]
    fn the_dash_of_a_prefix_is_not_its_end() {
        assert!(prefix(dns1123_subdomain, "web-").is_empty());
        assert!(!prefix(dns1123_subdomain, "Web-").is_empty());
    }
}
