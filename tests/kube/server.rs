//! `kubonsai serve`, started for a test and ended with it.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

/// A served cluster of one node.
pub struct Server {
    child: Child,
    kubeconfig: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.kubeconfig);
    }
}

impl Server {
    /// Starts the program that `KUBONSAI_NATIVE` names, or the one that cargo has built.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(name: &str) -> Result<Server> {
        let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/debug/kubonsai");
        let program = std::env::var_os("KUBONSAI_NATIVE").unwrap_or_else(|| built.into());
        let kubeconfig = std::env::temp_dir().join(format!("kubonsai-kube-{}-{name}", std::process::id()));
        let mut child = Command::new(&program)
            .args(["serve", "--plain-http", "--kubeconfig"])
            .arg(&kubeconfig)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| program.display().to_string())?;
        let stdout = child.stdout.take().context("standard output was asked for")?;
        let server = Server { child, kubeconfig };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        ensure!(line.starts_with("Serving"), "the server does not come up: {line:?}");
        Ok(server)
    }

    /// A client with the kubeconfig that the server wrote.
    ///
    /// # Errors
    /// The kubeconfig is not one.
    pub async fn client(&self) -> Result<Client> {
        let kubeconfig = Kubeconfig::read_from(&self.kubeconfig)?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        Ok(Client::try_from(config)?)
    }
}
