//! Signs the certificates of requests that were approved (`pkg/controller/certificates/signer`), and reads from a
//! certificate whose it is.
//!
//! It is here and not with the other controllers because only here there is an authority that anyone asks: inside the
//! simulation connections are not encrypted.

use std::collections::BTreeSet;
use std::time::Duration;

use api::http::{Certified, Component};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use json::{Value, json};
use rcgen::{
    CertificateSigningRequestParams, ExtendedKeyUsagePurpose as Extended, IsCa, Issuer, KeyPair,
    KeyUsagePurpose as Plain,
};
use rustls::pki_types::CertificateSigningRequestDer;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer as _, X509Certificate, X509CertificationRequest};

use super::bridge::{AnswerBody, Bridge};
use super::watching::Events;

const PATH: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
/// Signers that are the cluster's own.
const SIGNERS: [&str; 4] = [
    "kubernetes.io/kube-apiserver-client",
    "kubernetes.io/kube-apiserver-client-kubelet",
    "kubernetes.io/kubelet-serving",
    "kubernetes.io/legacy-unknown",
];
/// How long a certificate is good for at most (`--cluster-signing-duration`), and at least.
const DURATION_MAX: Duration = Duration::from_secs(365 * 24 * 3_600);
const DURATION_MIN: Duration = Duration::from_secs(600);
/// It is good a little earlier: clocks differ.
const BACKDATE: Duration = Duration::from_secs(300);
/// Shorter ones do not end earlier for that.
const SHORT: Duration = Duration::from_secs(8 * 3_600);
/// Before a watch that has ended is begun anew.
const PAUSE: Duration = Duration::from_secs(1);

/// An authority that signs.
pub(super) struct Signer(pub(super) Issuer<'static, KeyPair>);

/// What becomes of a request.
enum Outcome {
    /// A certificate, as PEM.
    Signed(String),
    /// It cannot be signed (`SignerValidationFailure`).
    Failed(String),
}

impl Signer {
    /// Signs what is approved for as long as there is a world.
    pub(super) async fn run(self, bridge: Bridge) {
        while self.follow(&bridge).await.is_some() {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// One watch from its beginning to its end; nothing if the world has ended.
    async fn follow(&self, bridge: &Bridge) -> Option<()> {
        let answer = ask(bridge, "GET", &format!("{PATH}?watch=1"), Bytes::new()).await?;
        let AnswerBody::Stream(pieces) = answer else { return Some(()) };
        let mut events = Events::of(pieces);
        while let Some(event) = events.next().await {
            self.look(bridge, &event).await?;
        }
        Some(())
    }

    async fn look(&self, bridge: &Bridge, event: &Value) -> Option<()> {
        let mut request = event["object"].clone();
        let has = |kind: &str| conditions(&request).any(|c| c["type"] == kind && c["status"] == "True");
        let is_ours = SIGNERS.iter().any(|signer| request["spec"]["signerName"] == *signer);
        let is_done = !request["status"]["certificate"].is_null() || has("Failed");
        if event["type"] == "DELETED" || !is_ours || is_done || !has("Approved") {
            return Some(());
        }
        match self.outcome(&request["spec"], OffsetDateTime::now_utc()) {
            Outcome::Signed(pem) => request["status"]["certificate"] = STANDARD.encode(pem).into(),
            Outcome::Failed(why) => {
                let mut all: Vec<Value> = conditions(&request).cloned().collect();
                all.push(
                    json!({ "type": "Failed", "status": "True", "reason": "SignerValidationFailure", "message": why }),
                );
                request["status"]["conditions"] = all.into();
            }
        }
        let name = request["metadata"]["name"].as_str().unwrap_or("").to_owned();
        let body = Bytes::from(request.to_string());
        // Whoever has written in between is heard of by the watch.
        ask(bridge, "PUT", &format!("{PATH}/{name}/status"), body).await.map(|_| ())
    }

    fn outcome(&self, spec: &Value, now: OffsetDateTime) -> Outcome {
        let usages: BTreeSet<&str> =
            spec["usages"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        match check(spec["signerName"].as_str().unwrap_or(""), &usages).and_then(|()| self.sign(spec, &usages, now)) {
            Ok(pem) => Outcome::Signed(pem),
            Err(why) => Outcome::Failed(why),
        }
    }

    fn sign(&self, spec: &Value, usages: &BTreeSet<&str>, now: OffsetDateTime) -> Result<String, String> {
        let pem = STANDARD.decode(spec["request"].as_str().unwrap_or("")).unwrap_or_default();
        let der = unpacked(&String::from_utf8_lossy(&pem), "CERTIFICATE REQUEST")
            .ok_or("PEM block type must be CERTIFICATE REQUEST")?;
        one_organization(&der)?;
        let mut request = CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(der))
            .map_err(|why| format!("unable to parse certificate request: {why}"))?;
        let wanted = spec["expirationSeconds"].as_u64().map_or(DURATION_MAX, Duration::from_secs);
        let duration = wanted.clamp(DURATION_MIN, DURATION_MAX);
        let params = &mut request.params;
        (params.key_usages, params.extended_key_usages) = purposes(usages)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.not_before = now - BACKDATE;
        params.not_after = now + if duration < SHORT { duration } else { duration - BACKDATE };
        let signed = request.signed_by(&self.0).map_err(|why| format!("failed to sign certificate: {why}"))?;
        Ok(packed(signed.der(), "CERTIFICATE"))
    }
}

fn conditions(request: &Value) -> impl Iterator<Item = &Value> {
    request["status"]["conditions"].as_array().into_iter().flatten()
}

/// What a signer lets certificates be used for (`validAPIServerClientUsages`).
fn check(signer: &str, usages: &BTreeSet<&str>) -> Result<(), String> {
    if signer != SIGNERS[0] {
        return Ok(());
    }
    let is_optional = |usage: &str| matches!(usage, "digital signature" | "key encipherment" | "client auth");
    if let Some(usage) = usages.iter().find(|usage| !is_optional(usage)) {
        return Err(format!("invalid usage for client certificate: {usage}"));
    }
    match usages.contains("client auth") {
        true => Ok(()),
        false => Err("missing required usage for client certificate: client auth".to_owned()),
    }
}

/// Several organizations the library would make one: that is said and not done.
fn one_organization(der: &[u8]) -> Result<(), String> {
    let (_, request) = X509CertificationRequest::from_der(der).map_err(|why| format!("unable to parse csr: {why}"))?;
    match request.certification_request_info.subject.iter_organization().count() {
        0 | 1 => Ok(()),
        _ => Err("Kubonsai signs for one organization at most".to_owned()),
    }
}

/// The usages as certificates name them (`keyUsagesFromStrings`).
fn purposes(usages: &BTreeSet<&str>) -> Result<(Vec<Plain>, Vec<Extended>), String> {
    let (mut plain, mut extended) = (Vec::new(), Vec::new());
    for usage in usages {
        let of_key = match *usage {
            "signing" | "digital signature" => Some(Plain::DigitalSignature),
            "content commitment" => Some(Plain::ContentCommitment),
            "key encipherment" => Some(Plain::KeyEncipherment),
            "key agreement" => Some(Plain::KeyAgreement),
            "data encipherment" => Some(Plain::DataEncipherment),
            "cert sign" => Some(Plain::KeyCertSign),
            "crl sign" => Some(Plain::CrlSign),
            "encipher only" => Some(Plain::EncipherOnly),
            "decipher only" => Some(Plain::DecipherOnly),
            _ => None,
        };
        let of_certificate = match *usage {
            "any" => Extended::Any,
            "server auth" => Extended::ServerAuth,
            "client auth" => Extended::ClientAuth,
            "code signing" => Extended::CodeSigning,
            "email protection" | "s/mime" => Extended::EmailProtection,
            "timestamping" => Extended::TimeStamping,
            "ocsp signing" => Extended::OcspSigning,
            other if of_key.is_none() => return Err(format!("unrecognized usage values: [{other:?}]")),
            _ => {
                plain.extend(of_key.filter(|usage| !plain.contains(usage)));
                continue;
            }
        };
        extended.push(of_certificate);
    }
    Ok((plain, extended))
}

/// What stands between the lines of a PEM block.
fn unpacked(pem: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
}

/// A PEM block.
fn packed(der: &[u8], label: &str) -> String {
    const LINE: usize = 64;
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len()).step_by(LINE).map(|at| &text[at..text.len().min(at + LINE)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Whose certificate it is: the user is the common name, the groups are the organizations
/// (`k8s.io/apiserver/pkg/authentication/request/x509`).
pub(super) fn holder(der: &[u8]) -> Option<Certified> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let subject = certificate.subject();
    let text = |attribute: &x509_parser::x509::AttributeTypeAndValue<'_>| attribute.as_str().ok().map(str::to_owned);
    Some(Certified {
        name: subject.iter_common_name().find_map(text)?,
        groups: subject.iter_organization().filter_map(text).collect(),
        digest: Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

/// A request of the controller's own.
async fn ask(bridge: &Bridge, method: &str, path: &str, body: Bytes) -> Option<AnswerBody> {
    let agent = "kube-controller-manager/certificatesigningrequest-signing-controller";
    let request = http::Request::builder().method(method).uri(path).header("user-agent", agent);
    let (mut parts, ()) = request.header("content-type", "application/json").body(()).ok()?.into_parts();
    parts.extensions.insert(Component("system:serviceaccount:kube-system:certificate-controller".into()));
    Some(bridge.ask(parts, body).await?.body)
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType};

    use super::*;

    fn signer() -> Signer {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Signer(Issuer::new(params, KeyPair::generate().unwrap()))
    }

    fn spec(names: &[(DnType, &str)], usages: &[&str]) -> Value {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        names.iter().for_each(|(kind, name)| params.distinguished_name.push(kind.clone(), *name));
        let request = params.serialize_request(&KeyPair::generate().unwrap()).unwrap();
        let pem = packed(request.der(), "CERTIFICATE REQUEST");
        json!({ "signerName": SIGNERS[0], "usages": usages, "request": STANDARD.encode(pem), "expirationSeconds": 86400 })
    }

    fn outcome(spec: &Value) -> Result<String, String> {
        match signer().outcome(spec, OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()) {
            Outcome::Signed(pem) => Ok(pem),
            Outcome::Failed(why) => Err(why),
        }
    }

    #[test]
    fn a_certificate_says_whose_it_is_and_how_long() {
        let names = [(DnType::CommonName, "jane"), (DnType::OrganizationName, "devs")];
        let pem = outcome(&spec(&names, &["client auth", "digital signature"])).unwrap();
        let der = unpacked(&pem, "CERTIFICATE").unwrap();
        let certified = holder(&der).unwrap();
        assert_eq!((certified.name.as_str(), &certified.groups[..]), ("jane", &["devs".to_owned()][..]));
        let (_, certificate) = X509Certificate::from_der(&der).unwrap();
        let validity = certificate.validity();
        assert_eq!(validity.not_before.timestamp(), 1_800_000_000 - 300);
        assert_eq!(validity.not_after.timestamp(), 1_800_000_000 + 86_400 - 300);
        assert!(certificate.extended_key_usage().unwrap().unwrap().value.client_auth);
    }

    #[test]
    fn what_is_not_for_clients_fails() {
        let jane = [(DnType::CommonName, "jane")];
        assert_eq!(
            outcome(&spec(&jane, &["server auth", "client auth"])).unwrap_err(),
            "invalid usage for client certificate: server auth"
        );
        assert_eq!(
            outcome(&spec(&jane, &["digital signature"])).unwrap_err(),
            "missing required usage for client certificate: client auth"
        );
        let mut forged = spec(&jane, &["client auth"]);
        let pem = String::from_utf8(STANDARD.decode(forged["request"].as_str().unwrap()).unwrap()).unwrap();
        let mut der = unpacked(&pem, "CERTIFICATE REQUEST").unwrap();
        *der.last_mut().unwrap() ^= 1;
        forged["request"] = STANDARD.encode(packed(&der, "CERTIFICATE REQUEST")).into();
        assert!(outcome(&forged).unwrap_err().starts_with("unable to parse certificate request"));
    }
}
