//! The hashes that end up in names: FNV-1a and the alphabet without vowels.
//!
//! Upstream: `hash/fnv`, `k8s.io/apimachinery/pkg/util/rand`.

/// Letters and digits of generated names: no vowels and no digits that look like letters, so no words appear.
pub const SAFE_ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// FNV-1a, 32 bits.
pub fn fnv1a_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// FNV-1, 32 bits: the same in another order.
pub fn fnv1_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash: u32, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte))
}

/// FNV-1a, 64 bits.
pub fn fnv1a_64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Maps each byte of a text into [`SAFE_ALPHABET`] (`rand.SafeEncodeString`): `pod-template-hash` is this over the
/// decimal digits of a 32-bit hash.
pub fn safe_encode(text: &str) -> String {
    text.bytes().map(|b| char::from(SAFE_ALPHABET[usize::from(b) % SAFE_ALPHABET.len()])).collect()
}

/// A name-safe hash of some bytes: FNV-1a 32, in decimal, encoded safely. At most ten characters.
pub fn safe_hash(bytes: &[u8]) -> String {
    safe_encode(&fnv1a_32(bytes).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fnv_has_the_published_values() {
        assert_eq!(fnv1a_32(b""), 0x811c_9dc5);
        assert_eq!(fnv1a_32(b"a"), 0xe40c_292c);
        assert_eq!(fnv1a_32(b"foobar"), 0xbf9c_f968);
        assert_eq!(fnv1a_64(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn safe_encoding_is_that_of_upstream() {
        // '0'..'9' are 48..57, and 48 % 27 = 21.
        assert_eq!(safe_encode("0123456789"), "456789bcdf");
        assert!(safe_hash(b"anything").bytes().all(|b| SAFE_ALPHABET.contains(&b)));
    }
}
