//! `kubectl cp` (`kubectl/pkg/cmd/cp`): files go as an archive through `tar` in the container, which must have one.

use std::rc::Rc;

use api::Object;

use super::exec::{refuse_ended, stream_path};
use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, int, switch, text};
use crate::pods;
use crate::rest::{Rest, escape};
use crate::session::Session;
use crate::streams::{self, Options, Piped};
use crate::tar::{self, Entry};

static FLAGS: &[Flag] = &[
    text("container", "", "The container; the first when left out.").short('c'),
    switch("no-preserve", "Leave modes and owners."),
    int("retries", "0", "How often to try again when a copy from a container breaks off."),
];

/// The command.
pub static CP: Command = Command {
    name: "cp",
    usage: "<file-spec-src> <file-spec-dest>",
    short: "Copy files and directories to and from containers",
    long: "Copy files and folders between this machine and a container. The container needs the program tar.",
    examples: &[
        ("To a pod", "kubectl cp ./page.html web-1:/tmp/page.html"),
        ("From a pod", "kubectl cp web-1:/etc/nginx/nginx.conf ./nginx.conf"),
        ("In another namespace and container", "kubectl cp ./conf dev/web-1:/etc/conf -c app"),
    ],
    flags: &[FLAGS],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

/// `[[namespace/]pod:]path`.
struct Spec {
    namespace: Option<String>,
    pod: String,
    path: String,
}

const FORMAT: &str = "filespec must match the canonical format: [[namespace/]pod:]file/path";

fn spec(word: &str) -> Outcome<Spec> {
    let plain = |path: &str| Spec { namespace: None, pod: String::new(), path: path.to_owned() };
    let Some((pod, path)) = word.split_once(':') else { return Ok(plain(word)) };
    if pod.is_empty() || (pod.len() == 1 && pod.chars().all(|c| c.is_ascii_uppercase())) {
        return Err(Failure::message(FORMAT));
    }
    let parts: Vec<&str> = pod.split('/').collect();
    match parts[..] {
        [pod] => Ok(Spec { namespace: None, pod: pod.to_owned(), path: path.to_owned() }),
        [namespace, pod] => {
            Ok(Spec { namespace: Some(namespace.to_owned()), pod: pod.to_owned(), path: path.to_owned() })
        }
        _ => Err(Failure::message(FORMAT)),
    }
}

struct Copy {
    rest: Rest,
    pod: Object,
    container: String,
    no_preserve: bool,
}

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let [from, to] = args.words.as_slice() else {
        return Err(Failure::message("source and destination are required"));
    };
    let (from, to) = (spec(from)?, spec(to)?);
    if !from.pod.is_empty() && !to.pod.is_empty() {
        return Err(Failure::message("one of src or dest must be a local file specification"));
    }
    if from.path.is_empty() || to.path.is_empty() {
        return Err(Failure::message("filepath can not be empty"));
    }
    let remote = if from.pod.is_empty() { &to } else { &from };
    if remote.pod.is_empty() {
        return Err(Failure::message("one of src or dest must be a remote file specification"));
    }
    let rest = session.rest(&args)?;
    let upload = from.pod.is_empty();
    if upload && session.place.stat(&session.absolute(&from.path)).is_none() {
        return Err(Failure::message(format!("{} doesn't exist in local filesystem", from.path)));
    }
    let namespace = remote.namespace.clone().unwrap_or_else(|| rest.namespace().to_owned());
    let pod = Object::new(rest.get(&format!("/api/v1/namespaces/{namespace}/pods/{}", remote.pod)).await?);
    refuse_ended(&pod, "exec")?;
    let container = pods::container(&session, &pod, args.text("container"), false).await?;
    let copy = Copy { rest, pod, container, no_preserve: args.on("no-preserve") };
    if upload { copy.up(&from.path, &to.path).await } else { copy.down(&from.path, &to.path).await }
}

/// The last part of a path.
fn base(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or("")
}

impl Copy {
    /// Runs a command in the container.
    async fn exec(&self, command: &[&str], input: Option<Vec<u8>>) -> Outcome<Piped> {
        let options = Options { stdin: input.is_some(), tty: false };
        let mut path = stream_path(&self.pod, "exec", &self.container, options);
        for word in command {
            path.push_str(&format!("&command={}", escape(word)));
        }
        streams::piped(&self.rest, &path, input).await
    }

    /// Says what the command said, and fails if it failed.
    async fn check(&self, done: &Piped) -> Outcome {
        self.rest.session.place.write_err(done.stderr.clone()).await;
        if done.code == 0 {
            return Ok(());
        }
        self.rest.session.err(format!("command terminated with exit code {}\n", done.code)).await;
        Err(Failure::Exit(done.code))
    }

    async fn up(&self, from: &str, to: &str) -> Outcome {
        let is_folder = self.exec(&["test", "-d", to], None).await?.code == 0;
        let to = if is_folder { format!("{}/{}", to.trim_end_matches('/'), base(from)) } else { to.to_owned() };
        let to = to.trim_end_matches('/');
        let folder = to.rsplit_once('/').map(|(folder, _)| if folder.is_empty() { "/" } else { folder });
        let mut entries = Vec::new();
        let local = self.rest.session.absolute(from.trim_end_matches('/'));
        collect(&self.rest.session, &local, base(to), &mut entries, 0)?;
        let mut command = vec!["tar"];
        if self.no_preserve {
            command.extend(["--no-same-permissions", "--no-same-owner"]);
        }
        command.extend(["-xmf", "-"]);
        if let Some(folder) = folder {
            command.extend(["-C", folder]);
        }
        let done = self.exec(&command, Some(tar::pack(&entries))).await?;
        self.rest.session.out_bytes(done.stdout.clone()).await?;
        self.check(&done).await
    }

    async fn down(&self, from: &str, to: &str) -> Outcome {
        let done = self.exec(&["tar", "cf", "-", from], None).await?;
        let session = &self.rest.session;
        let prefix = clean(from);
        for entry in tar::unpack(&done.stdout) {
            let name = clean(&entry.name);
            let Some(rest) =
                name.strip_prefix(&prefix).filter(|rest| rest.is_empty() || rest.starts_with('/') || prefix.is_empty())
            else {
                return Err(Failure::message("tar contents corrupted"));
            };
            let path = format!("{}/{}", to.trim_end_matches('/'), rest.trim_start_matches('/'));
            let path = session.absolute(path.trim_end_matches('/'));
            let Some(content) = entry.content else {
                session.place.make_dir(&path).map_err(Failure::message)?;
                continue;
            };
            if session.place.stat(&path) == Some(true) {
                return Err(Failure::message(format!("open {to}: is a directory")));
            }
            session.place.write_file(&path, &content).map_err(|why| Failure::message(format!("open {to}: {why}")))?;
        }
        self.check(&done).await
    }
}

/// A path without leading slashes, `.` and `..`: nothing is written outside the destination.
fn clean(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    parts.join("/")
}

/// Deepest folder that is copied.
const DEPTH_MAX: usize = 64;

/// The files of this machine at a path, as entries called `name`.
fn collect(session: &Session, path: &str, name: &str, entries: &mut Vec<Entry>, depth: usize) -> Outcome {
    if depth > DEPTH_MAX {
        return Err(Failure::message(format!("{path}: folders nested deeper than {DEPTH_MAX}")));
    }
    if session.place.stat(path) == Some(false) {
        let content = session.place.read_file(path).map_err(|why| Failure::message(format!("open {path}: {why}")))?;
        entries.push(Entry { name: name.to_owned(), content: Some(content) });
        return Ok(());
    }
    entries.push(Entry { name: name.to_owned(), content: None });
    for inner in session.place.list(path) {
        collect(session, &format!("{path}/{inner}"), &format!("{name}/{inner}"), entries, depth + 1)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_specs() {
        let parts = |word: &str| spec(word).map(|s| (s.namespace.unwrap_or_default(), s.pod, s.path)).ok();
        let of = |n: &str, p: &str, f: &str| Some((n.to_owned(), p.to_owned(), f.to_owned()));
        assert_eq!(parts("./a"), of("", "", "./a"));
        assert_eq!(parts("web:/a"), of("", "web", "/a"));
        assert_eq!(parts("dev/web:a"), of("dev", "web", "a"));
        assert_eq!((parts(":a"), parts("a/b/c:d")), (None, None));
        assert_eq!(clean("/a/../b/./c/"), "a/b/c");
    }
}
