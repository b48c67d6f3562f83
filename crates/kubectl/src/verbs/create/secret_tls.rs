//! `kubectl create secret tls`.
//!
//! Difference: whether the key belongs to the certificate is not checked; that both are PEM of their kind is.

use std::rc::Rc;

use base64::Engine;
use json::json;

use super::secret::finish;
use super::{COMMON, name};
use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, switch, text};
use crate::session::Session;

static FLAGS: &[Flag] = &[
    switch("append-hash", "Append a hash of the content to the name."),
    text("cert", "", "File with the certificate, in PEM."),
    text("key", "", "File with its private key, in PEM."),
];

/// The command.
pub static TLS: Command = Command {
    name: "tls",
    usage: "NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none]",
    short: "Create a TLS secret",
    long: "Create a secret from a certificate and its private key. Both must exist already.",
    examples: &[("From two files", "kubectl create secret tls web-tls --cert=tls.crt --key=tls.key")],
    flags: &[FLAGS, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let name = name(&args)?;
    if args.text("cert").is_empty() || args.text("key").is_empty() {
        return Err(Failure::message("key and cert must be specified"));
    }
    let cert = read(&session, args.text("cert"))?;
    let key = read(&session, args.text("key"))?;
    check(&cert, "certificate", "CERTIFICATE", |kind| kind == "CERTIFICATE")?;
    check(&key, "key", "PRIVATE KEY", |kind| kind == "PRIVATE KEY" || kind.ends_with(" PRIVATE KEY"))?;
    let base64 = base64::engine::general_purpose::STANDARD;
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "kubernetes.io/tls",
        "data": {"tls.crt": base64.encode(&cert), "tls.key": base64.encode(&key)},
    });
    finish(session, args, secret).await
}

fn read(session: &Session, file: &str) -> Outcome<Vec<u8>> {
    let bytes = session.place.read_file(&session.absolute(file));
    bytes.map_err(|why| Failure::message(format!("Cannot read file {file}, open {file}: {why}")))
}

/// Looks for a PEM block of the right type, in the words of Go's `tls` package.
fn check(bytes: &[u8], what: &str, wanted: &str, is_right: impl Fn(&str) -> bool) -> Outcome {
    let text = String::from_utf8_lossy(bytes);
    let begin = |line: &str| Some(line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----")?.to_owned());
    let kinds: Vec<String> = text.lines().filter_map(begin).collect();
    if kinds.is_empty() {
        return Err(Failure::message(format!("tls: failed to find any PEM data in {what} input")));
    }
    if kinds.iter().any(|kind| is_right(kind)) {
        return Ok(());
    }
    let (quoted, list) = (crate::flags::parse::go_quote(wanted), kinds.join(" "));
    let wanted = if what == "key" {
        "PEM block with type ending in \"PRIVATE KEY\"".to_owned()
    } else {
        format!("{quoted} PEM block")
    };
    Err(Failure::message(format!(
        "tls: failed to find {wanted} in {what} input after skipping PEM blocks of the following types: [{list}]"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_of_pem_blocks_count() {
        let check = |text: &str| check(text.as_bytes(), "certificate", "CERTIFICATE", |kind| kind == "CERTIFICATE");
        assert!(check("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n").is_ok());
        assert_eq!(check("x"), Err(Failure::message("tls: failed to find any PEM data in certificate input")));
        let other = check("-----BEGIN EC PRIVATE KEY-----\n").unwrap_err().bare();
        assert!(other.ends_with("of the following types: [EC PRIVATE KEY]"), "{other}");
    }
}
