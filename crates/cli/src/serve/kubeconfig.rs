//! The kubeconfig for clients of `kubonsai serve`.

use std::net::SocketAddr;

/// Cluster, user and context are named as minikube names them.
pub(super) fn text(address: SocketAddr) -> String {
    format!(
        "apiVersion: v1\n\
         clusters:\n\
         - cluster:\n    server: http://{address}\n  name: minikube\n\
         contexts:\n\
         - context:\n    cluster: minikube\n    namespace: default\n    user: minikube\n  name: minikube\n\
         current-context: minikube\n\
         kind: Config\n\
         preferences: {{}}\n\
         users:\n\
         - name: minikube\n  user: {{}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_valid_yaml_with_minikube_names() {
        let text = text(([127, 0, 0, 1], 8080).into());
        let value = api::yaml::parse(&text).expect("valid YAML").remove(0);
        assert_eq!(value["clusters"][0]["cluster"]["server"], "http://127.0.0.1:8080");
        assert_eq!(value["contexts"][0]["context"]["user"], "minikube");
        assert_eq!(value["current-context"], "minikube");
    }
}
