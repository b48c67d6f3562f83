//! What `kube-webhook-certgen` does with the API: the Secret with the certificate of the admission webhook.
//!
//! The certificate is made up, as that of the API server is: nothing here is encrypted. The webhook is not there to be patched,
//! because admission webhooks are not built.

use api::{Object, kinds};
use json::json;
use network::TcpStream;

use super::Caller;
use super::site::line;

/// "This is not a certificate. Kubonsai encrypts nothing." in the shape of one, as a Secret holds it (base64).
const CERTIFICATE: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tClZHaHBjeUJwY3lCdWIzUWdZU0JqWlhKMGFXWnBZMkYwWlM0Z1MzVmliMjV6WVdrZ1pXNWpjbmx3ZEhNZ2JtOTAKYUdsdVp5ND0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=";

/// Does what was asked for and says so.
pub(super) async fn run(caller: &Caller, stream: &TcpStream, command: &str, namespace: &str, secret: &str) {
    let (said, code) = match command {
        "create" => create(caller, namespace, secret).await,
        _ => (vec!["the simulated machine has no admission webhooks: nothing is patched".to_owned()], 0),
    };
    let mut text = String::new();
    for sentence in said {
        line(&mut text, ["say".to_owned(), sentence]);
    }
    line(&mut text, ["end".to_owned(), code.to_string()]);
    // A container that has gone needs no answer.
    let _ = super::send(&caller.sim, stream, text.as_bytes()).await;
    stream.shutdown_write();
}

async fn create(caller: &Caller, namespace: &str, name: &str) -> (Vec<String>, i32) {
    let data = json!({"ca": CERTIFICATE, "cert": CERTIFICATE, "key": CERTIFICATE});
    let metadata = json!({"name": name, "namespace": namespace});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data});
    match caller.client.get(&kinds::SECRETS, namespace, name).await {
        Ok(_) => return (vec!["secret already exists".to_owned()], 0),
        Err(error) if error.is_not_found() => {}
        Err(error) => return (vec![format!("error getting secret: {error}")], 1),
    }
    match caller.client.create(&kinds::SECRETS, namespace, Object::new(secret)).await {
        Ok(_) => (
            vec![
                "no secret found".to_owned(),
                "creating new secret: it holds no certificate, nothing is encrypted here".to_owned(),
            ],
            0,
        ),
        Err(error) => (vec![format!("failed creating secret: {error}")], 1),
    }
}
