//! Why a command failed, and the words and exit code with which kubectl says so (`pkg/cmd/util/helpers.go`, `checkErr`).

use api::http::TransportError;
use json::Value;

/// A failed command.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// A sentence, printed after `error: `.
    Message(String),
    /// A sentence printed as it is.
    Plain(String),
    /// Wrong usage: the sentence and the command whose help is pointed at (`See 'kubectl get -h' for help and examples`).
    Usage(String, String),
    /// A flag error: the sentence and the command (`See 'kubectl get --help' for usage.`).
    Flag(String, String),
    /// A `metav1.Status` from the server, with what was being done (empty, or `error when creating "x"`).
    Status(Box<Value>, String),
    /// The server could not be reached: what happened and the server's address.
    Transport(TransportError, String),
    /// Several failures, one line each.
    Several(Vec<Failure>),
    /// Everything has been said; only the exit code remains.
    Exit(i32),
}

/// The result of everything that can fail in front of the learner.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A sentence to print after `error: `.
    pub fn message(text: impl Into<String>) -> Self {
        Failure::Message(text.into())
    }

    /// Joins failures; one stands for itself.
    pub fn several(mut failures: Vec<Failure>) -> Outcome {
        match failures.len() {
            0 => Ok(()),
            1 => Err(failures.remove(0)),
            _ => Err(Failure::Several(failures)),
        }
    }

    /// The `reason` of a status, empty otherwise.
    pub fn reason(&self) -> &str {
        match self {
            Failure::Status(status, _) => text(status, "reason"),
            _ => "",
        }
    }

    /// Whether the server said that the thing does not exist.
    pub fn is_not_found(&self) -> bool {
        self.reason() == "NotFound"
    }

    /// Whether the server said that the thing exists.
    pub fn is_already_exists(&self) -> bool {
        self.reason() == "AlreadyExists"
    }

    /// Whether the server saw a concurrent change.
    pub fn is_conflict(&self) -> bool {
        self.reason() == "Conflict"
    }

    /// As Go's `err.Error()` would say it: the bare message, for wrapping in another sentence.
    pub fn bare(&self) -> String {
        match self {
            Failure::Message(m) | Failure::Plain(m) | Failure::Usage(m, _) | Failure::Flag(m, _) => m.clone(),
            Failure::Status(status, doing) if doing.is_empty() => text(status, "message").to_owned(),
            Failure::Status(status, doing) => format!("{doing}: {}", text(status, "message")),
            Failure::Transport(..) => standard(self).unwrap_or_default(),
            Failure::Several(all) => {
                let lines: Vec<String> = all.iter().map(Failure::bare).collect();
                format!("[{}]", lines.join(", "))
            }
            Failure::Exit(code) => format!("exit {code}"),
        }
    }

    /// Says what was being done to what (`cmdutil.AddSourceToErr`).
    pub fn while_doing(self, verb: &str, source: &str) -> Failure {
        if source.is_empty() {
            return self;
        }
        match self {
            Failure::Status(status, _) => Failure::Status(status, format!("error when {verb} \"{source}\"")),
            Failure::Message(m) => Failure::Message(format!("error when {verb} \"{source}\": {m}")),
            other => other,
        }
    }

    /// The text for standard error (with its newline; may be empty) and the exit code.
    pub fn render(&self) -> (String, i32) {
        let text = match self {
            Failure::Exit(code) => return (String::new(), *code),
            Failure::Plain(m) => m.clone(),
            Failure::Usage(m, command) => {
                format!("error: {m}\nSee '{command} -h' for help and examples")
            }
            Failure::Flag(m, command) => format!("error: {m}\nSee '{command} --help' for usage."),
            Failure::Several(all) => {
                let lines: Vec<String> = all.iter().map(|f| standard(f).unwrap_or_else(|| f.bare())).collect();
                lines.join("\n")
            }
            Failure::Status(status, _) if text(status, "reason") == "Invalid" => invalid(status),
            Failure::Message(m) if m.starts_with("error: ") => m.clone(),
            other => standard(other).unwrap_or_else(|| format!("error: {}", other.bare())),
        };
        let text = if text.is_empty() || text.ends_with('\n') { text } else { text + "\n" };
        (text, 1)
    }
}

fn text<'a>(status: &'a Value, field: &str) -> &'a str {
    status.get(field).and_then(Value::as_str).unwrap_or("")
}

/// `StandardErrorMessage`: the sentences for errors that come from the server or from the way to it.
fn standard(failure: &Failure) -> Option<String> {
    match failure {
        Failure::Status(status, _) => Some(match text(status, "reason") {
            "Unauthorized" => {
                format!("error: You must be logged in to the server ({})", failure.bare())
            }
            "" => format!("Error from server: {}", failure.bare()),
            reason => format!("Error from server ({reason}): {}", failure.bare()),
        }),
        Failure::Transport(error, server) => Some(match error {
            TransportError::Refused => format!(
                "The connection to the server {} was refused - did you specify the right host or port?",
                host(server)
            ),
            TransportError::Unreachable => {
                format!("Unable to connect to the server: dial tcp {}: connect: no route to host", host(server))
            }
            TransportError::Timeout => {
                format!("Unable to connect to the server: dial tcp {}: i/o timeout", host(server))
            }
            TransportError::Closed => "Unable to connect to the server: unexpected EOF".to_owned(),
            TransportError::Unsupported(what) => format!("error: {what}"),
        }),
        _ => None,
    }
}

fn host(server: &str) -> &str {
    server.split_once("://").map_or(server, |(_, rest)| rest).trim_end_matches('/')
}

/// Validation errors name the object, then each field.
fn invalid(status: &Value) -> String {
    let message = text(status, "message");
    let details = status.get("details").unwrap_or(&Value::Null);
    let causes = details.get("causes").and_then(Value::as_array).map_or(&[][..], json::Array::as_slice);
    let (kind, name) = (text(details, "kind"), text(details, "name"));
    let mut head = "The request is invalid".to_owned();
    if !kind.is_empty() || !name.is_empty() {
        head = format!("The {kind} \"{name}\" is invalid");
    } else if !message.is_empty() && causes.is_empty() {
        head = format!("{head}: {message}");
    }
    let mut lines: Vec<String> = Vec::new();
    for cause in causes {
        let line = format!("{}: {}", text(cause, "field"), text(cause, "message"));
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    match lines.as_slice() {
        [] => head,
        [one] => format!("{head}: {one}"),
        many => format!("{head}: \n* {}", many.join("\n* ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use json::json;

    #[test]
    fn says_what_kubectl_says() {
        let status = |reason: &str, message: &str| {
            Failure::Status(Box::new(json!({"reason": reason, "message": message})), String::new())
        };
        let not_found = status("NotFound", "pods \"a\" not found");
        assert_eq!(not_found.render().0, "Error from server (NotFound): pods \"a\" not found\n");
        let two = Failure::Several(vec![not_found.clone(), status("NotFound", "pods \"b\" not found")]);
        assert_eq!(
            two.render().0,
            "Error from server (NotFound): pods \"a\" not found\nError from server (NotFound): pods \"b\" not found\n"
        );
        assert_eq!(
            status("AlreadyExists", "services \"s\" already exists").while_doing("creating", "svc.yaml").render().0,
            "Error from server (AlreadyExists): error when creating \"svc.yaml\": services \"s\" already exists\n"
        );
        let refused = Failure::Transport(TransportError::Refused, "http://localhost:8080".into());
        assert_eq!(
            refused.render(),
            (
                "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n"
                    .into(),
                1
            )
        );
    }

    #[test]
    fn invalid_objects_list_their_fields() {
        let mut status = json!({"reason": "Invalid", "message": "m", "details": {"kind": "Service", "name": "multi",
            "causes": [{"field": "spec.ports[0].name", "message": "Required value"}]}});
        let render = |s: &Value| Failure::Status(Box::new(s.clone()), String::new()).render().0;
        assert_eq!(render(&status), "The Service \"multi\" is invalid: spec.ports[0].name: Required value\n");
        status["details"]["causes"]
            .as_array_mut()
            .unwrap()
            .push(json!({"field": "spec.ports[1].name", "message": "Required value"}));
        assert_eq!(
            render(&status),
            "The Service \"multi\" is invalid: \n* spec.ports[0].name: Required value\n* spec.ports[1].name: Required value\n"
        );
    }
}
