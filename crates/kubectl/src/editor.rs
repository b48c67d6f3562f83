//! The editor of the learner's choice, on a temporary file (`kubectl/pkg/cmd/util/editor/editor.go`).

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Runs the editor on a new file with `text`; gives what is in it afterwards, and its path.
///
/// # Errors
/// The editor is not there or fails; the path of the file that was left behind comes along.
pub async fn launch(session: &Session, text: &str, extension: &str) -> Result<(String, String), (Failure, String)> {
    let number = 1_000_000_000 + session.sim.random_below(3_000_000_000);
    let path = format!("/tmp/kubectl-edit-{number}{extension}");
    let place = &session.place;
    if let Err(why) = place.write_file(&path, text.as_bytes()) {
        return Err((Failure::message(format!("open {path}: {why}")), String::new()));
    }
    let kept = |failure: Failure| (failure, path.clone());
    run(session, &path).await.map_err(kept)?;
    let bytes =
        place.read_file(&path).map_err(|why| (Failure::message(format!("open {path}: {why}")), path.clone()))?;
    Ok((String::from_utf8_lossy(&bytes).into_owned(), path))
}

async fn run(session: &Session, path: &str) -> Outcome {
    let place = &session.place;
    let chosen = ["KUBE_EDITOR", "EDITOR"].into_iter().find_map(|name| place.env(name).filter(|v| !v.is_empty()));
    let editor = chosen.unwrap_or_else(|| "vi".to_owned());
    // Quotes are for a shell to read; everything else is words.
    let quoted = editor.contains(' ') && editor.contains(['"', '\'', '\\']);
    let (words, shown) = if quoted {
        let shell = place.env("SHELL").filter(|s| !s.is_empty()).unwrap_or_else(|| "/bin/bash".to_owned());
        let shown = format!("{shell} -c {editor}");
        (vec![shell, "-c".to_owned(), format!("{editor} \"{path}\"")], shown)
    } else {
        let mut words: Vec<String> = editor.split(' ').map(str::to_owned).collect();
        words.push(path.to_owned());
        (words, editor)
    };
    let shown = crate::flags::parse::go_quote(&shown);
    match place.run(words).await {
        Some(0) => Ok(()),
        Some(_) => Err(Failure::message(format!("there was a problem with the editor {shown}"))),
        None => Err(Failure::message(format!("unable to launch the editor {shown}"))),
    }
}
