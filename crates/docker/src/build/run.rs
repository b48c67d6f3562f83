//! RUN: a container of what there is so far, whose changes become a layer.

use std::rc::Rc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use runtime::cri::{ContainerConfig, SandboxConfig};
use runtime::image::{Image, ImageLayer};
use simulation::Duration;

use super::progress::Progress;
use super::state::{CachedStep, State, is_of_the_machine};
use crate::Daemon;
use crate::daemon::runtime_says;
use crate::text::nanos;

/// The container of a RUN and its image, gone when the step ends or is given up.
struct Trial {
    daemon: Daemon,
    sandbox: String,
    id: String,
    image: String,
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.daemon.runtime().remove_container(&self.id);
        self.daemon.runtime().remove_sandbox(&self.sandbox);
        self.daemon.images().delete(&self.image);
    }
}

/// Runs a command; what it changed.
pub(super) async fn run(
    daemon: &Daemon,
    state: &State,
    argv: Vec<String>,
    progress: &Progress,
) -> Result<CachedStep, String> {
    let runtime = daemon.runtime();
    let id = runtime.new_id();
    // Of the image only the files matter; its name must be nobody else's.
    let mut base = state.clone();
    base.label("dev.kubonsai.step", &id);
    let image: Rc<Image> = Rc::new(base.image()?);
    daemon.images().insert_unnamed(Rc::clone(&image));
    let config = SandboxConfig {
        name: format!("build-{}", &id[..12]),
        namespace: "docker".to_owned(),
        uid: id.clone(),
        hostname: "buildkitsandbox".to_owned(),
        is_engines: true,
        ..SandboxConfig::default()
    };
    let sandbox = runtime.run_sandbox(config).await;
    let mut trial = Trial { daemon: daemon.clone(), sandbox: String::new(), id: id.clone(), image: image.id.clone() };
    let sandbox = sandbox.map_err(|why| runtime_says(&why))?;
    trial.sandbox.clone_from(&sandbox.id);
    let command = argv.join(" ");
    let config = ContainerConfig {
        name: "step".to_owned(),
        image: image.id.clone(),
        command: argv,
        env: state.args.iter().filter(|(name, _)| !state.env.iter().any(|(n, _)| n == name)).cloned().collect(),
        id: id.clone(),
        ..ContainerConfig::default()
    };
    let told = |why: String| runtime_says(&why).trim_start_matches("Error response from daemon: ").to_owned();
    runtime.create_container(&sandbox.id, config).await.map_err(told)?;
    runtime.start_container(&id).await.map_err(|why| {
        // The builder starts runc itself: what comes before is the engine's.
        let why = told(why);
        why.split_once("runc create failed: ")
            .map_or(why.clone(), |(_, rest)| format!("runc run failed: {rest}"))
            .trim_end_matches(": unknown")
            .to_owned()
    })?;
    let code = match runtime.attach(&id, false) {
        Ok(session) => {
            let mut lines = Lines::default();
            let mut output = futures_util::stream::select(session.stdout, session.stderr);
            while let Some(bytes) = output.next().await {
                for line in lines.add(&bytes) {
                    progress.output(&line).await;
                }
            }
            if let Some(rest) = lines.rest() {
                progress.output(&rest).await;
            }
            session.exit.await
        }
        Err(_) => {
            // It has ended already, as a file does that is no program: what is to be said is in its log.
            let log: Vec<Bytes> = runtime.logs(&id, Default::default())?.collect().await;
            for line in String::from_utf8_lossy(&log.concat()).lines() {
                progress.output(line).await;
            }
            daemon.wait(&id).await
        }
    };
    if code != 0 {
        return Err(format!("process \"{command}\" did not complete successfully: exit code: {code}"));
    }
    let files = runtime.files(&id).ok_or("the container has gone")?;
    let tar = files.diff_tar(&is_of_the_machine).map_err(|why| why.to_string())?;
    runtime.stop_container(&id, Duration::ZERO).await;
    let created = nanos(daemon.sim().now());
    Ok(CachedStep { layer: tar.map(|tar| ImageLayer::of(tar.into())), created })
}

/// Bytes of a line; a longer one is several.
const LINE_BYTES_MAX: usize = 16 << 10;

/// Output as lines.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn add(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            let mut piece = piece;
            while !piece.is_empty() {
                let (now, later) = piece.split_at(piece.len().min(LINE_BYTES_MAX - self.0.len()));
                self.0.extend_from_slice(now);
                piece = later;
                if self.0.len() == LINE_BYTES_MAX || self.0.ends_with(b"\n") {
                    found.extend(self.rest());
                }
            }
        }
        found
    }

    fn rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.0);
        let text = String::from_utf8_lossy(&rest);
        (!rest.is_empty()).then(|| text.trim_end_matches(['\n', '\r']).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_cut_into_lines_that_end() {
        let mut lines = Lines::default();
        assert_eq!(lines.add(b"a\r\nb"), ["a"]);
        assert_eq!(lines.add(b"c\n\nd"), ["bc", ""]);
        assert_eq!(lines.rest().as_deref(), Some("d"));
        let found: Vec<usize> = lines.add(&[0; 3 * LINE_BYTES_MAX + 5]).iter().map(String::len).collect();
        assert_eq!(found, [LINE_BYTES_MAX; 3]);
        assert_eq!((lines.rest().map(|rest| rest.len()), lines.rest()), (Some(5), None));
    }
}
