//! The registry of the played clusters: a server that waits for ever and a worker that ends well after a moment, under the
//! names that the scenarios and the system pods ask for. Nothing has to be built for it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use simulation::ExternalError;

/// What runs in everything but a Job. Both tags are the same program: an update changes the name of the image alone.
pub const SERVER: &str = "docker.io/library/server";
/// What runs in a Job.
pub const WORKER: &str = "docker.io/library/worker";
/// How long a worker works.
const WORK_SECONDS: u64 = 4;
/// The system pods that only have to be there. CoreDNS is not among them: its probes want a real one, so it stays without an
/// image, and the laws leave kube-system alone.
const SYSTEM: [&str; 6] = [
    "registry.k8s.io/etcd:3.6.8-0",
    "registry.k8s.io/kube-apiserver:v1.36.3",
    "registry.k8s.io/kube-controller-manager:v1.36.3",
    "registry.k8s.io/kube-scheduler:v1.36.3",
    "registry.k8s.io/kube-proxy:v1.36.3",
    "gcr.io/k8s-minikube/storage-provisioner:v5",
];

/// Where a program lies: the system pods have commands of their own.
const PATHS: [&str; 7] = [
    "bin/program",
    "usr/local/bin/etcd",
    "usr/local/bin/kube-apiserver",
    "usr/local/bin/kube-controller-manager",
    "usr/local/bin/kube-scheduler",
    "usr/local/bin/kube-proxy",
    "storage-provisioner",
];

static FILES: LazyLock<BTreeMap<String, Bytes>> = LazyLock::new(|| {
    let mut files = Files::default();
    let server = files.image(&sleeper(u64::MAX / 2));
    let worker = files.image(&sleeper(WORK_SECONDS * 1_000_000_000));
    let mut references = json::Map::new();
    for name in SYSTEM {
        references.insert(name.into(), server.clone().into());
    }
    for tag in ["v1", "v2", "v3"] {
        references.insert(format!("{SERVER}:{tag}").into(), server.clone().into());
        references.insert(format!("{WORKER}:{tag}").into(), worker.clone().into());
    }
    let index = json::json!({ "references": references });
    files.0.insert("images/index.json".to_owned(), index.to_string().into());
    files.0
});

/// A file of the registry.
pub fn read(path: &str) -> Result<Bytes, ExternalError> {
    FILES.get(path).cloned().ok_or(ExternalError::NotFound)
}

/// A program that sleeps once and ends with 0.
fn sleeper(nanos: u64) -> Vec<u8> {
    let text = format!(
        r#"(module
          (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (func (export "_start")
            (i32.store (i32.const 1016) (i32.const 1))
            (i64.store (i32.const 1024) (i64.const {nanos}))
            (drop (call $poll (i32.const 1000) (i32.const 1100) (i32.const 1) (i32.const 1200)))))"#
    );
    wat::parse_str(text).expect("the program is well-formed")
}

#[derive(Default)]
struct Files(BTreeMap<String, Bytes>);

impl Files {
    fn blob(&mut self, bytes: impl Into<Bytes>) -> (String, usize) {
        let bytes = bytes.into();
        let hex: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let size = bytes.len();
        self.0.insert(format!("images/blobs/sha256/{hex}"), bytes);
        (format!("sha256:{hex}"), size)
    }

    /// An image of one program; gives the digest of its manifest.
    fn image(&mut self, program: &[u8]) -> String {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o755);
        header.set_size(program.len() as u64);
        for path in PATHS {
            tar.append_data(&mut header, path, program).expect("memory takes it");
        }
        let (layer, layer_size) = self.blob(tar.into_inner().expect("memory takes it"));
        // The program knows no signals; SIGKILL spares every pod its whole grace period.
        // What tells images apart is the configuration, so it names the layer.
        let config = json::json!({
            "config": { "Entrypoint": ["/bin/program"], "StopSignal": "SIGKILL" },
            "rootfs": { "type": "layers", "diff_ids": [layer] },
        });
        let (config, config_size) = self.blob(config.to_string());
        let manifest = json::json!({
            "schemaVersion": 2,
            "config": { "digest": config, "size": config_size },
            "layers": [{ "digest": layer, "size": layer_size }],
            "annotations": { "dev.kubonsai.size": "4194304" },
        });
        self.blob(manifest.to_string()).0
    }
}
