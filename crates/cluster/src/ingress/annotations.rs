//! What the annotations of an Ingress ask of ingress-nginx (`internal/ingress/annotations`).
//!
//! Those that limit who may ask, or that change an answer in a way that is not built, are refused: the Ingress' locations answer
//! 503, as ingress-nginx answers where an annotation cannot be had, and an Event says which.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::Object;

/// What all of them begin with.
const PREFIX: &str = "nginx.ingress.kubernetes.io/";

/// Annotations that become an option of nginx's half under the same name: yes or no.
const SWITCHES: &[&str] = &["force-ssl-redirect", "preserve-trailing-slash", "ssl-redirect"];
/// Those that are words.
const OPTIONS: &[&str] = &["app-root", "upstream-vhost", "x-forwarded-prefix"];
/// The longest time in seconds: nginx counts it in milliseconds of 31 bits.
const SECONDS_MAX: u64 = i32::MAX as u64 / 1_000;

/// Annotations that change nothing that can be seen here: sizes of buffers, ciphers, notes in the error log.
const WITHOUT_EFFECT: &[&str] = &[
    "client-body-buffer-size",
    "connection-proxy-header",
    "enable-rewrite-log",
    "http2-push-preload",
    "proxy-buffer-size",
    "proxy-buffering",
    "proxy-buffers-number",
    "proxy-busy-buffers-size",
    "proxy-http-version",
    "proxy-max-temp-file-size",
    "proxy-request-buffering",
    "proxy-send-timeout",
    "ssl-ciphers",
    "ssl-prefer-server-ciphers",
];

/// Those that are known and not built, by how they begin.
const NOT_BUILT: &[&str] = &[
    "affinity",
    "allowlist-source-range",
    "auth-",
    "backend-protocol",
    "canary",
    "configuration-snippet",
    "cors-",
    "custom-headers",
    "custom-http-errors",
    "default-backend",
    "denylist-source-range",
    "disable-proxy-intercept-errors",
    "enable-cors",
    "enable-global-auth",
    "enable-modsecurity",
    "enable-opentelemetry",
    "enable-owasp-core-rules",
    "fastcgi-",
    "from-to-www-redirect",
    "limit-",
    "load-balance",
    "mirror-",
    "modsecurity-",
    "proxy-cookie-",
    "proxy-next-upstream",
    "proxy-redirect-",
    "proxy-ssl-",
    "relative-redirects",
    "satisfy",
    "server-alias",
    "server-snippet",
    "service-upstream",
    "session-cookie-",
    "ssl-passthrough",
    "stream-snippet",
    "upstream-hash-by",
    "use-port-in-redirects",
    "whitelist-source-range",
];

/// Bytes of a request's body that nginx's half takes (BODY_BYTES_MAX of images/net), which are also those of `client_max_body_size`.
const BODY_BYTES_MAX: u64 = 1024 * 1024;

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Annotations {
    /// Options of each location, for nginx's half.
    pub(super) options: Rc<BTreeMap<String, String>>,
    /// Every path of the host is a regular expression.
    pub(super) use_regex: bool,
    /// Those with a value that cannot be: they count as if they were not there.
    pub(super) invalid: Vec<String>,
    /// Bodies are to be taken that are too large here.
    pub(super) wants_large_bodies: bool,
    /// The one that is not built.
    pub(super) refused: Option<String>,
    /// It stands beside another Ingress and is none of its own.
    pub(super) is_canary: bool,
}

impl Annotations {
    /// Reads those of an Ingress.
    pub(super) fn of(ingress: &Object) -> Annotations {
        let mut read = Annotations::default();
        let all = ingress.annotations();
        let own = all.iter().filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, value.trim())));
        let mut codes = BTreeMap::new();
        let mut redirects = BTreeMap::new();
        for (name, value) in own {
            match name {
                name if !is_valid(name, value) => read.invalid.push(name.to_owned()),
                "rewrite-target" => read.option("rewrite", value),
                "use-regex" => read.use_regex = switch(value) == Some(true),
                "proxy-body-size" => read.body_size(value),
                "proxy-connect-timeout" => read.option("connect-timeout", value),
                "proxy-read-timeout" => read.option("read-timeout", value),
                "enable-access-log" if switch(value) == Some(false) => read.option("log", "off"),
                "permanent-redirect" => drop(redirects.insert("permanent", value)),
                "temporal-redirect" => drop(redirects.insert("temporal", value)),
                name if SWITCHES.contains(&name) => {
                    read.option(name, if switch(value) == Some(true) { "true" } else { "false" });
                }
                "permanent-redirect-code" => drop(codes.insert("permanent", value)),
                "temporal-redirect-code" => drop(codes.insert("temporal", value)),
                name if OPTIONS.contains(&name) => read.option(name, value),
                // What everyone does who says nothing.
                "backend-protocol" if value.eq_ignore_ascii_case("HTTP") => {}
                "load-balance" if value == "round_robin" => {}
                "canary" | "enable-cors" | "ssl-passthrough" | "service-upstream" | "from-to-www-redirect"
                    if value == "false" => {}
                name if WITHOUT_EFFECT.contains(&name) => {}
                name if NOT_BUILT.iter().any(|start| name.starts_with(start)) => {
                    read.is_canary |= name == "canary";
                    read.refused.get_or_insert(name.to_owned());
                }
                // A name that ingress-nginx does not know either.
                _ => {}
            }
        }
        // The temporal one goes first, as upstream.
        let chosen = ["temporal", "permanent"].into_iter().find_map(|kind| Some((kind, *redirects.get(kind)?)));
        if let Some((kind, to)) = chosen {
            let usual = if kind == "temporal" { "302" } else { "301" };
            let code =
                codes.get(kind).copied().filter(|code| code.parse().is_ok_and(|c: u16| (300..=308).contains(&c)));
            read.option("redirect", &format!("{} {to}", code.unwrap_or(usual)));
        }
        if let Some(name) = read.refused.clone() {
            read.option("refused", &refusal(&name));
        }
        read
    }

    /// What an Event says of each that cannot be followed.
    pub(super) fn complaints(&self) -> Vec<String> {
        let invalid = self.invalid.iter().map(|name| format!("annotation {PREFIX}{name} contains invalid value"));
        let large = self.wants_large_bodies.then(|| {
            format!("{}: {PREFIX}proxy-body-size", simulation::stub!("ingress-nginx", "request bodies above 1m"))
        });
        self.refused.iter().map(|name| refusal(name)).chain(invalid).chain(large).collect()
    }

    /// `8m`; where it says 0 there is no limit but that of nginx's half.
    fn body_size(&mut self, value: &str) {
        let bytes = size(value).unwrap_or(0);
        self.wants_large_bodies = bytes == 0 || bytes > BODY_BYTES_MAX;
        if !self.wants_large_bodies {
            self.option("body-size", &bytes.to_string());
        }
    }

    fn option(&mut self, name: &str, value: &str) {
        Rc::make_mut(&mut self.options).insert(name.to_owned(), value.to_owned());
    }
}

/// Whether a value can be (`internal/ingress/annotations/parser/validators.go`): what goes into a head must not end its line.
fn is_valid(name: &str, value: &str) -> bool {
    let is_of = |more: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    match name {
        "proxy-connect-timeout" | "proxy-read-timeout" => {
            value.bytes().all(|b| b.is_ascii_digit()) && value.parse().is_ok_and(|s: u64| s <= SECONDS_MAX)
        }
        "permanent-redirect-code" | "temporal-redirect-code" => value.parse::<u16>().is_ok(),
        "permanent-redirect" | "temporal-redirect" => !value.is_empty() && is_of("%:/?#[]@!$&'()*+,;=-._~{}"),
        "upstream-vhost" => is_of("-._:$~/"),
        "x-forwarded-prefix" => is_of("-._~/$%:"),
        "app-root" => value.starts_with('/') && is_of("-._~/$%:?&=+,@!"),
        "proxy-body-size" => size(value).is_some(),
        "rewrite-target" => !value.contains(char::is_control),
        "use-regex" | "enable-access-log" => switch(value).is_some(),
        name if SWITCHES.contains(&name) => switch(value).is_some(),
        _ => true,
    }
}

/// Yes and no as Go reads them (strconv.ParseBool).
fn switch(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Bytes of a size as nginx writes it: `8m`.
fn size(value: &str) -> Option<u64> {
    let unit = value.bytes().last().filter(u8::is_ascii_alphabetic);
    let number = if unit.is_some() { &value[..value.len() - 1] } else { value };
    let shift = match unit.map(|unit| unit.to_ascii_lowercase()) {
        None | Some(b'b') => 0,
        Some(b'k') => 10,
        Some(b'm') => 20,
        Some(b'g') => 30,
        Some(_) => return None,
    };
    let number: u64 = number.parse().ok().filter(|_| number.bytes().all(|b| b.is_ascii_digit()))?;
    number.checked_mul(1 << shift)
}

/// Why an annotation is refused.
pub(super) fn refusal(name: &str) -> String {
    format!("{}: {PREFIX}{name}", simulation::stub!("ingress-nginx", "this annotation"))
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    fn read(annotations: json::Value) -> Annotations {
        Annotations::of(&Object::new(json!({"metadata": {"annotations": annotations}})))
    }

    #[test]
    fn known_ones_become_options() {
        let read = read(json!({
            "nginx.ingress.kubernetes.io/rewrite-target": "/$1",
            "nginx.ingress.kubernetes.io/use-regex": "true",
            "nginx.ingress.kubernetes.io/ssl-redirect": "false",
            "nginx.ingress.kubernetes.io/proxy-body-size": "8k",
            "nginx.ingress.kubernetes.io/permanent-redirect": "https://a/b",
            "nginx.ingress.kubernetes.io/permanent-redirect-code": "308",
            "nginx.ingress.kubernetes.io/nonsense": "x",
            "example.com/auth-url": "x",
        }));
        let options: Vec<String> = read.options.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(options, ["body-size=8192", "redirect=308 https://a/b", "rewrite=/$1", "ssl-redirect=false"]);
        assert!(read.use_regex && read.refused.is_none());
    }

    #[test]
    fn values_that_cannot_be_are_said() {
        for (name, value) in [
            ("proxy-read-timeout", "abc"),
            ("proxy-read-timeout", "+1"),
            ("proxy-connect-timeout", "18446744073709551615"),
            ("temporal-redirect", "http://a\r\nSet-Cookie: x"),
            ("permanent-redirect", "http://a b"),
            ("upstream-vhost", "a\nb"),
            ("x-forwarded-prefix", "/a\rb"),
            ("app-root", "other"),
            ("proxy-body-size", "8x"),
            ("ssl-redirect", "no"),
        ] {
            let name_in_full = format!("{PREFIX}{name}");
            let read = read(json!({ (name_in_full): value }));
            assert!(read.options.is_empty() && read.refused.is_none(), "{read:?}");
            assert_eq!(read.complaints(), [format!("annotation {PREFIX}{name} contains invalid value")]);
        }
        assert_eq!(
            ["0", "10", "1k", "8M", "m", "-1", ""].map(size),
            [Some(0), Some(10), Some(1024), Some(8 << 20), None, None, None]
        );
    }

    #[test]
    fn what_is_not_built_is_refused() {
        for (name, value) in [
            ("auth-url", "http://x"),
            ("whitelist-source-range", "10.0.0.0/8"),
            ("backend-protocol", "GRPC"),
            ("canary", "true"),
        ] {
            let name_in_full = format!("{PREFIX}{name}");
            let read = read(json!({ (name_in_full): value }));
            assert_eq!((read.refused.as_deref(), read.is_canary), (Some(name), name == "canary"));
            assert!(read.options["refused"].ends_with(name), "{read:?}");
        }
        assert_eq!(
            read(
                json!({"nginx.ingress.kubernetes.io/backend-protocol": "HTTP", "nginx.ingress.kubernetes.io/canary": "false"})
            ),
            Annotations::default()
        );
    }
}
