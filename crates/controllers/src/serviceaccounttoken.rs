//! Fills Secrets of type `kubernetes.io/service-account-token` with a token that has no end, and takes them away with
//! their account (`pkg/controller/serviceaccount/tokens_controller.go`).

use api::{Kind, Object, jwt, kinds};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::Event;

use crate::change::{Change, Op, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::root_ca::CERTIFICATE;
use crate::view::View;

const TYPE: &str = "kubernetes.io/service-account-token";
const ACCOUNT_NAME: &str = "kubernetes.io/service-account.name";
const ACCOUNT_UID: &str = "kubernetes.io/service-account.uid";

pub(crate) static CONTROLLER: Controller = Controller {
    name: "serviceaccount-token-controller",
    component: "serviceaccount-token-controller",
    follows: Follows::Kinds(&[&kinds::SERVICE_ACCOUNTS, &kinds::SECRETS, &kinds::NAMESPACES]),
    wake,
    reports_refusals: false,
    reconcile,
};

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    let object = event.object();
    if *kind == kinds::SERVICE_ACCOUNTS {
        let secrets = view.of(&kinds::SECRETS).in_namespace(object.namespace());
        return secrets.filter(|secret| is_of(secret, object.name())).map(Wake::now).collect();
    }
    let is_to_fill = *kind == kinds::SECRETS && object.str("type") == TYPE && !matches!(event, Event::Deleted(_));
    if is_to_fill { vec![Wake::now(object)] } else { Vec::new() }
}

fn is_of(secret: &Object, account: &str) -> bool {
    secret.str("type") == TYPE && secret.annotation(ACCOUNT_NAME) == Some(account)
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some(secret) = view.get(&kinds::SECRETS, key).filter(|secret| secret.str("type") == TYPE) else {
        return Ok(Vec::new());
    };
    let name = secret.annotation(ACCOUNT_NAME).unwrap_or("");
    let uid = secret.annotation(ACCOUNT_UID).unwrap_or("");
    let account_key = format!("{}/{name}", secret.namespace());
    let account = view.get(&kinds::SERVICE_ACCOUNTS, &account_key).filter(|a| uid.is_empty() || a.uid() == uid);
    let Some(account) = account else {
        // The copy may lag: the account was perhaps made a moment before the Secret.
        let uid = uid.to_owned();
        let unless = Change::Unless { kind: &kinds::SERVICE_ACCOUNTS, key: account_key, uid };
        return Ok(vec![unless, Change::from(Write::delete(&kinds::SECRETS, secret))]);
    };
    let held = |field: &str| secret.at("data").get(field).and_then(json::Value::as_str).unwrap_or("");
    let certificate = STANDARD.encode(CERTIFICATE);
    if held("ca.crt") == certificate && !held("namespace").is_empty() && !held("token").is_empty() {
        return Ok(Vec::new());
    }
    let mut filled = secret.clone();
    let mut data = secret.at("data").as_object().cloned().unwrap_or_default();
    data.insert("ca.crt".into(), certificate.into());
    if held("namespace").is_empty() {
        data.insert("namespace".into(), STANDARD.encode(secret.namespace()).into());
    }
    if held("token").is_empty() {
        let cluster = view.get(&kinds::NAMESPACES, "kube-system").map_or("", Object::uid);
        let claims = jwt::legacy_claims(secret.namespace(), secret.name(), account.name(), account.uid());
        let token = jwt::sign(&jwt::key(cluster), &claims);
        data.insert("token".into(), STANDARD.encode(token).into());
    }
    filled.set("data", data);
    filled.set_annotation(ACCOUNT_NAME, account.name());
    filled.set_annotation(ACCOUNT_UID, account.uid());
    Ok(vec![Change::from(Write::new(&kinds::SECRETS, Op::Update(filled)))])
}

#[cfg(test)]
mod tests {
    use json::{Value, json};
    use simulation::Time;

    use super::*;
    use crate::cache::Caches;
    use crate::change::describe;

    fn account(uid: &str) -> Object {
        let metadata = json!({ "name": "robot", "namespace": "d", "uid": uid });
        Object::new(json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata }))
    }

    fn secret(annotations: Value) -> Object {
        let metadata = json!({ "name": "s", "namespace": "d", "uid": "s", "annotations": annotations });
        Object::new(json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": TYPE }))
    }

    fn plan(objects: &[Object]) -> Vec<Change> {
        let caches = Caches::with(objects);
        reconcile(&View::new(&caches, Time::from_unix_seconds(0)), "d/s").unwrap()
    }

    #[test]
    fn a_secret_gets_the_token_of_its_account() {
        let changes = plan(&[account("u"), secret(json!({ (ACCOUNT_NAME): "robot" }))]);
        let [Change::Write(write)] = &changes[..] else { panic!("{}", describe(&changes)) };
        let Op::Update(filled) = &write.op else { panic!("{}", describe(&changes)) };
        assert_eq!(filled.annotation(ACCOUNT_UID), Some("u"));
        assert_eq!(filled.str("data.namespace"), STANDARD.encode("d"));
        let token = String::from_utf8(STANDARD.decode(filled.str("data.token")).unwrap()).unwrap();
        let claims = jwt::verified(&jwt::key(""), &token).unwrap();
        assert_eq!(claims["sub"], "system:serviceaccount:d:robot");
        assert_eq!(claims.get("exp"), None);
        assert!(plan(&[account("u"), filled.clone()]).is_empty(), "what is full stays");
    }

    #[test]
    fn without_its_account_it_goes() {
        for objects in [
            vec![secret(json!({ (ACCOUNT_NAME): "robot" }))],
            vec![account("another"), secret(json!({ (ACCOUNT_NAME): "robot", (ACCOUNT_UID): "u" }))],
        ] {
            assert_eq!(describe(&plan(&objects)), "unless ServiceAccount d/robot exists\ndelete Secret s");
        }
    }
}
