//! The kubeconfig for clients of `kubonsai serve`.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::doors::Papers;

/// PEM in base64, as kubeconfigs hold it.
fn data(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    // RFC 7468: lines of 64 characters.
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    STANDARD.encode(format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n")))
}

/// Cluster, user and context are named as minikube names them.
pub(super) fn text(address: SocketAddr, papers: Option<&Papers>) -> String {
    let (cluster, user) = match papers {
        None => (format!("    server: http://{address}\n"), "  user: {}\n".to_owned()),
        Some(papers) => (
            format!(
                "    certificate-authority-data: {}\n    server: https://{address}\n",
                data("CERTIFICATE", &papers.authority)
            ),
            format!(
                "  user:\n    client-certificate-data: {}\n    client-key-data: {}\n",
                data("CERTIFICATE", &papers.certificate),
                data("PRIVATE KEY", &papers.key)
            ),
        ),
    };
    format!(
        "apiVersion: v1\n\
         clusters:\n\
         - cluster:\n{cluster}  name: minikube\n\
         contexts:\n\
         - context:\n    cluster: minikube\n    namespace: default\n    user: minikube\n  name: minikube\n\
         current-context: minikube\n\
         kind: Config\n\
         preferences: {{}}\n\
         users:\n\
         - name: minikube\n{user}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_valid_yaml_with_minikube_names() {
        let text = text(([127, 0, 0, 1], 8080).into(), None);
        let value = api::yaml::parse(&text).expect("valid YAML").remove(0);
        assert_eq!(value["clusters"][0]["cluster"]["server"], "http://127.0.0.1:8080");
        assert_eq!(value["contexts"][0]["context"]["user"], "minikube");
        assert_eq!(value["current-context"], "minikube");
    }

    #[test]
    fn has_certificates_where_there_is_tls() {
        let papers = Papers { authority: vec![1; 100], certificate: vec![2], key: vec![3] };
        let text = text(([127, 0, 0, 1], 8443).into(), Some(&papers));
        let value = api::yaml::parse(&text).expect("valid YAML").remove(0);
        assert_eq!(value["clusters"][0]["cluster"]["server"], "https://127.0.0.1:8443");
        let held = value["clusters"][0]["cluster"]["certificate-authority-data"].as_str().expect("text");
        let pem = String::from_utf8(STANDARD.decode(held).expect("base64")).expect("text");
        assert!(
            pem.starts_with("-----BEGIN CERTIFICATE-----\nAQEB") && pem.lines().all(|line| line.len() <= 64),
            "{pem}"
        );
        assert!(value["users"][0]["user"]["client-key-data"].is_string());
    }
}
