//! `caching_sha2_password`, as far as it goes without TLS: the server always knows the digest, so that a proof is enough.

use sha2::{Digest, Sha256};

/// The name of the way to log in.
pub const PLUGIN: &str = "caching_sha2_password";

/// Bytes of the nonce.
pub const NONCE_BYTES: usize = 20;

fn mask(digest: &[u8], nonce: &[u8]) -> Vec<u8> {
    Sha256::new().chain_update(digest).chain_update(nonce).finalize().to_vec()
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

/// What a client sends to show that it knows the password; nothing for no password.
pub fn proof(password: &str, nonce: &[u8]) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let first = Sha256::digest(password.as_bytes());
    xor(&first, &mask(&Sha256::digest(first), nonce))
}

/// Whether a proof is that of the password with this digest.
pub fn proves(proof: &[u8], digest: &[u8], nonce: &[u8]) -> bool {
    if digest.is_empty() {
        return proof.is_empty();
    }
    proof.len() == 32 && Sha256::digest(xor(proof, &mask(digest, nonce))).as_slice() == digest
}

/// A nonce for a connection, without zeros, which would end it in the protocol.
pub fn nonce(seed: &str) -> [u8; NONCE_BYTES] {
    let digest = Sha256::digest(seed.as_bytes());
    std::array::from_fn(|at| digest[at] % 94 + 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_holds_for_one_password_and_one_nonce() {
        let (nonce, other) = (nonce("1"), nonce("2"));
        let digest = Sha256::digest(Sha256::digest(b"secret"));
        assert!(proves(&proof("secret", &nonce), &digest, &nonce));
        assert!(!proves(&proof("Secret", &nonce), &digest, &nonce));
        assert!(!proves(&proof("secret", &other), &digest, &nonce));
        assert!(proves(&proof("", &nonce), &[], &nonce) && !proves(&proof("x", &nonce), &[], &nonce));
        assert!(!proves(&[], &digest, &nonce));
    }
}
