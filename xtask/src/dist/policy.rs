//! The Content-Security-Policy of the built page, in its index.html, because a plain host sends no header of ours. It
//! allows what comes from the host itself and WebAssembly; scripts inside index.html are named by their digests.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The policy stands before everything that it is about.
const BEFORE: &str = "<meta charset=\"utf-8\" />";

/// Everything but scripts. Nothing inline, nothing from elsewhere.
const REST: &str = "style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; \
                    frame-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'none'";

/// Puts the policy into index.html, whose scripts change no more.
pub(super) fn write(dist: &Path) -> Result<()> {
    let file = dist.join("index.html");
    let page = fs::read_to_string(&file).context("reading the built index.html")?;
    fs::write(&file, with_policy(&page)?)?;
    Ok(())
}

fn with_policy(page: &str) -> Result<String> {
    if page.matches(BEFORE).count() != 1 {
        bail!("index.html has no `{BEFORE}`, which the policy follows");
    }
    let digests: String =
        inline_scripts(page).into_iter().map(|script| format!(" 'sha256-{}'", digest(script))).collect();
    let policy = format!("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{digests}; {REST}");
    let meta = format!("{BEFORE}\n    <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\" />");
    Ok(page.replace(BEFORE, &meta))
}

fn digest(script: &str) -> String {
    STANDARD.encode(Sha256::digest(script.as_bytes()))
}

/// The text of every script that has no address.
fn inline_scripts(page: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once("<script") {
        let Some((attributes, body)) = after.split_once('>') else { break };
        let Some((script, after)) = body.split_once("</script>") else { break };
        if !attributes.contains("src=") {
            found.push(script);
        }
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_scripts_are_named_by_their_digest_and_nothing_else_is_let_in() {
        let page = format!(
            "<head>{BEFORE}<script>a()</script><script src=\"x.js\"></script><script type=\"module\">b()</script>"
        );
        assert_eq!(inline_scripts(&page), ["a()", "b()"]);
        let page = with_policy(&page).expect("it has a charset");
        // echo -n 'a()' | openssl dgst -sha256 -binary | base64
        assert!(page.contains("'sha256-qVpDBgj7bpq5hMAcGp3AOc79J3Y1Z4HvySTwKrWDoy4='"), "{page}");
        assert_eq!(page.matches("'sha256-").count(), 2);
        assert!(!page.contains("unsafe-inline") && !page.contains("'unsafe-eval'"), "{page}");
        assert!(with_policy("<head></head>").is_err());
    }
}
