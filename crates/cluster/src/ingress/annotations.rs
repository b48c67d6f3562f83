//! What the annotations of an Ingress ask of ingress-nginx (`internal/ingress/annotations`).
//!
//! Those that limit who may ask, or that change an answer in a way that is not built, are refused: the Ingress' locations answer
//! 503, as ingress-nginx answers where an annotation cannot be had, and an Event says which.

use std::collections::BTreeMap;

use api::Object;

/// What all of them begin with.
const PREFIX: &str = "nginx.ingress.kubernetes.io/";

/// Annotations that become an option of nginx's half under the same name.
const OPTIONS: &[&str] = &[
    "app-root",
    "force-ssl-redirect",
    "preserve-trailing-slash",
    "ssl-redirect",
    "upstream-vhost",
    "x-forwarded-prefix",
];

/// Annotations that change nothing that can be seen here: sizes of buffers, ciphers, notes in the error log.
const WITHOUT_EFFECT: &[&str] = &[
    "client-body-buffer-size",
    "connection-proxy-header",
    "enable-rewrite-log",
    "http2-push-preload",
    "proxy-body-size",
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

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Annotations {
    /// Options of each location, for nginx's half.
    pub(super) options: BTreeMap<String, String>,
    /// Every path of the host is a regular expression.
    pub(super) use_regex: bool,
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
                "rewrite-target" => read.option("rewrite", value),
                "use-regex" => read.use_regex = value == "true",
                "proxy-connect-timeout" => read.option("connect-timeout", value),
                "proxy-read-timeout" => read.option("read-timeout", value),
                "enable-access-log" if value == "false" => read.option("log", "off"),
                "permanent-redirect" => drop(redirects.insert("permanent", value)),
                "temporal-redirect" => drop(redirects.insert("temporal", value)),
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

    fn option(&mut self, name: &str, value: &str) {
        self.options.insert(name.to_owned(), value.to_owned());
    }
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
            "nginx.ingress.kubernetes.io/proxy-body-size": "8m",
            "nginx.ingress.kubernetes.io/permanent-redirect": "https://a/b",
            "nginx.ingress.kubernetes.io/permanent-redirect-code": "308",
            "nginx.ingress.kubernetes.io/nonsense": "x",
            "example.com/auth-url": "x",
        }));
        let options: Vec<String> = read.options.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(options, ["redirect=308 https://a/b", "rewrite=/$1", "ssl-redirect=false"]);
        assert!(read.use_regex && read.refused.is_none());
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
