//! Every namespace has the account `default` (`pkg/controller/serviceaccount/serviceaccounts_controller.go`).

use api::{Kind, Object, kinds};
use client::Event;
use json::json;

use crate::change::{Change, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

pub(crate) static CONTROLLER: Controller = Controller {
    name: "serviceaccount-controller",
    component: "serviceaccount-controller",
    follows: Follows::Kinds(&[&kinds::NAMESPACES, &kinds::SERVICE_ACCOUNTS]),
    wake,
    reports_refusals: false,
    reconcile,
};

fn wake(_view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    match event {
        Event::Added(namespace) | Event::Modified { new: namespace, .. } if *kind == kinds::NAMESPACES => {
            vec![Wake::now(namespace)]
        }
        Event::Deleted(account) if *kind == kinds::SERVICE_ACCOUNTS => vec![Wake::key(account.namespace())],
        _ => Vec::new(),
    }
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let active = view.get(&kinds::NAMESPACES, key).is_some_and(|ns| ns.str("status.phase") == "Active");
    let exists = view.get(&kinds::SERVICE_ACCOUNTS, &format!("{key}/default")).is_some();
    if !active || exists {
        return Ok(Vec::new());
    }
    let metadata = json!({ "name": "default", "namespace": key });
    let account = Object::new(json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata }));
    Ok(vec![Change::from(Write::create(&kinds::SERVICE_ACCOUNTS, account))])
}
