//! JSON web tokens of service accounts (`pkg/serviceaccount/{jwt,legacy}.go`): who may sign one, the API server and the
//! controller that fills Secrets, has the key.
//!
//! Difference: signed with HMAC-SHA256 and not with RSA.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Who made the tokens in Secrets, which have no end (`LegacyIssuer`).
pub const LEGACY_ISSUER: &str = "kubernetes/serviceaccount";
/// What such a token says, each under a name of its own: of which namespace, Secret and account it is.
pub const LEGACY_NAMESPACE: &str = "kubernetes.io/serviceaccount/namespace";
/// The Secret's name, see [`LEGACY_NAMESPACE`].
pub const LEGACY_SECRET: &str = "kubernetes.io/serviceaccount/secret.name";
/// The account's name, see [`LEGACY_NAMESPACE`].
pub const LEGACY_ACCOUNT: &str = "kubernetes.io/serviceaccount/service-account.name";
/// The account's uid, see [`LEGACY_NAMESPACE`].
pub const LEGACY_ACCOUNT_UID: &str = "kubernetes.io/serviceaccount/service-account.uid";

const HMAC_BLOCK_BYTES: usize = 64;

/// One key a cluster: from the uid of its namespace kube-system.
pub fn key(cluster: &str) -> Vec<u8> {
    Sha256::digest(format!("service account signing key {cluster}")).to_vec()
}

/// A token that says `claims`.
pub fn sign(key: &[u8], claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(hmac(key, signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// What a token says, if it was signed with the key. Its times are the caller's to look at.
pub fn verified(key: &[u8], token: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let json = |part: &str| json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    if json(head)?["alg"] != "HS256" || URL_SAFE_NO_PAD.decode(signature).ok()? != hmac(key, signed.as_bytes()) {
        return None;
    }
    json(claims)
}

/// What a token in a Secret says (`LegacyClaims`).
pub fn legacy_claims(namespace: &str, secret: &str, account: &str, account_uid: &str) -> Value {
    json!({
        "iss": LEGACY_ISSUER,
        (LEGACY_NAMESPACE): namespace,
        (LEGACY_SECRET): secret,
        (LEGACY_ACCOUNT): account,
        (LEGACY_ACCOUNT_UID): account_uid,
        "sub": format!("system:serviceaccount:{namespace}:{account}"),
    })
}

/// RFC 2104 with SHA-256; the key is no longer than a block.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let padded =
        |byte: u8| -> Vec<u8> { (0..HMAC_BLOCK_BYTES).map(|i| key.get(i).copied().unwrap_or(0) ^ byte).collect() };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_of_rfc_4231() {
        let hex: String = hmac(b"Jefe", b"what do ya want for nothing?").iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn tokens_have_three_parts() {
        let token = sign(b"key", &json!({"sub": "x"}));
        let parts: Vec<&str> = token.split('.').collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(URL_SAFE_NO_PAD.decode(parts[1]).unwrap(), br#"{"sub":"x"}"#);
    }

    #[test]
    fn what_was_not_signed_so_says_nothing() {
        let token = sign(b"key", &legacy_claims("n", "s", "a", "u"));
        assert_eq!(verified(b"key", &token).unwrap()[LEGACY_SECRET], "s");
        assert_eq!(verified(b"other", &token), None);
        let (body, signature) = token.rsplit_once('.').unwrap();
        assert_eq!(verified(b"key", &format!("{body}x.{signature}")), None);
        assert_eq!(verified(b"key", "a.b"), None);
    }
}
