//! Gzip (RFC 1952) of layers: one member, no name, no time, so that the same tar gives the same bytes.

/// How hard to try; layers are packed once and downloaded often.
const LEVEL: u8 = 10;

/// Compresses some bytes.
pub fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];
    out.extend(miniz_oxide::deflate::compress_to_vec(bytes, LEVEL));
    out.extend(crc32(bytes).to_le_bytes());
    // The length modulo 2^32, by definition of the format.
    out.extend((bytes.len() as u64 & 0xffff_ffff).to_le_bytes()[..4].iter());
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_published_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let packed = compress(b"hello");
        assert_eq!(packed[..3], [0x1f, 0x8b, 8]);
        assert_eq!(packed[packed.len() - 4..], 5u32.to_le_bytes());
    }
}
