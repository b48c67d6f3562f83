//! Every namespace has the config map `kube-root-ca.crt`, which pods mount to know the API server
//! (`pkg/controller/certificates/rootcacertpublisher`).
//!
//! The certificate is made up: connections inside the simulation are not encrypted, so nothing ever checks it.

use api::{Kind, Object, kinds};
use client::Event;
use json::json;

use crate::change::{Change, Op, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

const NAME: &str = "kube-root-ca.crt";
const DESCRIPTION_ANNOTATION: &str = "kubernetes.io/description";
const DESCRIPTION: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions \
of Kubernetes clusters.";

/// The shape of a certificate. Its body is text, not a key: "This is not a certificate. Kubonsai encrypts nothing."
pub(crate) const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n\
VGhpcyBpcyBub3QgYSBjZXJ0aWZpY2F0ZS4gS3Vib25zYWkgZW5jcnlwdHMgbm90\n\
aGluZy4=\n\
-----END CERTIFICATE-----\n";

pub(crate) static CONTROLLER: Controller = Controller {
    name: "root-ca-certificate-publisher-controller",
    component: "root-ca-certificate-publisher-controller",
    follows: Follows::Kinds(&[&kinds::NAMESPACES, &kinds::CONFIG_MAPS]),
    wake,
    reports_refusals: false,
    reconcile,
};

fn wake(_view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    if *kind == kinds::CONFIG_MAPS {
        return match event {
            Event::Added(_) => Vec::new(),
            _ if event.object().name() != NAME => Vec::new(),
            _ => vec![Wake::key(event.object().namespace())],
        };
    }
    match event {
        Event::Added(namespace) | Event::Modified { new: namespace, .. } => vec![Wake::now(namespace)],
        Event::Deleted(_) => Vec::new(),
    }
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    // A namespace on its way out is left alone; the API server would refuse anyway.
    if view.get(&kinds::NAMESPACES, key).is_none_or(Object::is_deleting) {
        return Ok(Vec::new());
    }
    let data = json!({ "ca.crt": CERTIFICATE });
    let Some(map) = view.get(&kinds::CONFIG_MAPS, &format!("{key}/{NAME}")) else {
        let annotations = json!({ DESCRIPTION_ANNOTATION: DESCRIPTION });
        let metadata = json!({ "name": NAME, "namespace": key, "annotations": annotations });
        let map = Object::new(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data }));
        return Ok(vec![Change::from(Write::create(&kinds::CONFIG_MAPS, map))]);
    };
    if *map.at("data") == data && map.annotation(DESCRIPTION_ANNOTATION).is_some_and(|text| !text.is_empty()) {
        return Ok(Vec::new());
    }
    let mut map = map.clone();
    map.set("data", data);
    map.set_annotation(DESCRIPTION_ANNOTATION, DESCRIPTION);
    Ok(vec![Change::from(Write::new(&kinds::CONFIG_MAPS, Op::Update(map)))])
}
