//! What must vary between two runs, masked: folders, times, ages, uids, versions, suffixes, hashes, addresses, ports, placement.

use std::sync::LazyLock;

use regex_lite::Regex;

/// A pattern and what stands for it.
const PATTERNS: &[(&str, &str)] = &[
    // What a client logs begins with the date, the time and the number of its process.
    (r"(?m)^([EIW])[0-9]{4} [0-9:]{8}\.[0-9]{6} +[0-9]+ ([a-z_]+\.go:[0-9]+\])", "${1}<log> ${2}"),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?Z", "<time>"),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}\.[0-9]{9} \+0000", "<time>"),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} \+0000 UTC", "<time>"),
    (r"[0-9]{4}(_[0-9]{2}){2}T([0-9]{2}_){3}0700", "<time>"),
    (r"/tmp/(LIVE|MERGED)-[0-9]+", "/tmp/${1}-<n>"),
    (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} \+0000", "<date>"),
    (r"X509SHA256=[0-9a-f]{64}", "X509SHA256=<digest>"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
    (r#"(resourceVersion"?: ?)"[0-9]+""#, "${1}<version>"),
    (r"(Resource Version: +)[0-9]+", "${1}<version>"),
    // Generated suffixes: of events, and of everything else that has a generateName.
    (r"\.[0-9a-f]{16}\b", ".<event>"),
    (r"-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-<x>"),
    // The recorded scheduler's events carry the name of the machine it ran on.
    (r"default-scheduler-[a-z0-9-]+", "default-scheduler-<host>"),
    (r"(10\.244\.[0-9]+\.[0-9]+|10\.9[6-9]\.[0-9]+\.[0-9]+|10\.1[01][0-9]\.[0-9]+\.[0-9]+)", "<ip>"),
    (r"192\.168\.49\.[0-9]+", "<node-ip>"),
    (r"minikube(-m0[0-9])?\b", "<node>"),
    (r"\b3[0-2][0-9]{3}(/|\b)", "<port>$1"),
    (r"(docker|docker-pullable)://[^\s]*", "<image-id>"),
    (r"-[bcdf0-9]{1}[bcdfghjklmnpqrstvwxz0-9]{5,9}(-[bcdfghjklmnpqrstvwxz0-9]{5})?\b", "-<hash>"),
    (r"(pod-template-hash[=:] ?)[a-z0-9]+", "${1}<hash>"),
    (r"kube-api-access-[a-z0-9]{5}", "kube-api-access-<x>"),
    (r"\b[0-9]+(\.[0-9]+)?(d|h|m|s|ms)([0-9]+(\.[0-9]+)?(h|m|s))?\b( ago)?", "<age>"),
    (r"\((x[0-9]+ over )?<age>\)", "(<age>)"),
    (r"[ ]{2,}", "  "),
    (r"(?m) +$", ""),
    (r"/home/learner/work", "/WORKDIR"),
    (r"Image size: [0-9]+ bytes", "Image size: <n> bytes"),
];

static COMPILED: LazyLock<Vec<(Regex, &str)>> =
    LazyLock::new(|| PATTERNS.iter().map(|(p, r)| (Regex::new(p).expect("a pattern"), *r)).collect());

/// What `kubectl explain` says in prose was left out of the recordings: there it is `<text>`, once for all paragraphs, with
/// the empty lines after each. That there is some, and where, is compared.
fn without_prose(text: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    // Whether prose is due: below its heading, or below the line of a field. Whether it was said that there is some.
    let (mut is_due, mut is_said) = (false, false);
    for line in text.lines() {
        let is_field = line.starts_with("  ") && line.contains("\t<");
        let is_enum = line.starts_with("  enum: ");
        let is_said_to_be_missing = matches!(line.trim(), "<no description>" | "<empty>");
        if is_due && line.starts_with("    ") && !is_field && !is_enum && !is_said_to_be_missing {
            if !is_said {
                out.push("    <text>");
                is_said = true;
            }
            continue;
        }
        let begins = line == "DESCRIPTION:" || is_field;
        is_said = is_said && !begins;
        is_due = begins || (is_due && (is_enum || line.is_empty()));
        out.push(line);
    }
    out.join("\n") + "\n"
}

fn text(text: &str) -> String {
    let mut masked = if text.contains("\nDESCRIPTION:\n") { without_prose(text) } else { text.to_owned() };
    for (pattern, replacement) in COMPILED.iter() {
        masked = pattern.replace_all(&masked, *replacement).into_owned();
    }
    masked
}

/// An answer as one comparable text.
pub fn answer(stdout: &str, stderr: &str, exit: i64) -> String {
    let help = |t: &str| {
        if t.contains("Usage:\n  kubectl") || t.contains("<help text>") { "<help>\n".to_owned() } else { text(t) }
    };
    format!("{}--- stderr\n{}--- exit {exit}\n", help(stdout), help(stderr))
}

/// Both texts, only the lines that differ marked.
pub fn difference(wanted: &str, got: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (wanted.lines().collect(), got.lines().collect());
    let mut out = String::new();
    for i in 0..a.len().max(b.len()) {
        match (a.get(i), b.get(i)) {
            (Some(x), Some(y)) if x == y => {}
            (x, y) => {
                if let Some(x) = x {
                    out.push_str(&format!("- {x}\n"));
                }
                if let Some(y) = y {
                    out.push_str(&format!("+ {y}\n"));
                }
            }
        }
    }
    out.chars().take(3000).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_one_text_whatever_its_paragraphs() {
        let real = "DESCRIPTION:\n     One.\n     Two.\n\n     Three.\n\nFIELDS:\n   args\t<[]string>\n     Four.\n\n";
        let recorded = "DESCRIPTION:\n    <text>\n\n\nFIELDS:\n   args\t<[]string>\n    <text>\n\n";
        assert_eq!(without_prose(real), without_prose(recorded));
        let without = "DESCRIPTION:\n\n\nFIELDS:\n   args\t<[]string>\n\n";
        assert_ne!(without_prose(without), without_prose(recorded));
        let missing = "DESCRIPTION:\n     <empty>\n\n\nFIELDS:\n   args\t<[]string>\n     Four.\n\n";
        assert_ne!(without_prose(missing), without_prose(recorded));
    }

    #[test]
    fn of_a_log_line_the_words_count() {
        let line = |head: &str, said: &str| text(&format!("{head} memcache.go:265] \"{said}\"\n"));
        let (one, other) = ("E1121 02:46:19.449076   23733", "E1122 12:38:00.426793   30100");
        assert_eq!(line(one, "Unhandled Error"), line(other, "Unhandled Error"));
        assert_ne!(line(one, "Unhandled Error"), line(one, "Handled Error"));
    }
}
