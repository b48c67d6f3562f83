//! Gzip members (RFC 1952) of image layers.

use bytes::Bytes;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::limits::BLOB_BYTES_MAX;

/// Unpacks a gzip file with one member; bytes that are not gzip are given back as they are.
///
/// The checksum at the end is not looked at: blobs are checked by their digest.
///
/// # Errors
/// When the header is broken, or the content is corrupt or too large.
pub fn unpack(bytes: Bytes) -> Result<Bytes, String> {
    if !bytes.starts_with(&[0x1f, 0x8b, 8]) {
        return Ok(bytes);
    }
    let start = header_length(&bytes).ok_or("gzip: invalid header")?;
    let end = bytes.len().checked_sub(8).filter(|end| *end >= start).ok_or("unexpected EOF")?;
    let mut unpacked = decompress_to_vec_with_limit(&bytes[start..end], BLOB_BYTES_MAX)
        .map_err(|_| "flate: corrupt input or too large".to_owned())?;
    unpacked.shrink_to_fit(); // it stays
    Ok(unpacked.into())
}

fn header_length(bytes: &[u8]) -> Option<usize> {
    let flags = *bytes.get(3)?;
    let mut at = 10;
    if flags & 4 != 0 {
        at += 2 + usize::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    }
    for bit in [8, 16] {
        if flags & bit != 0 {
            at += bytes.get(at..)?.iter().position(|b| *b == 0)? + 1; // name, comment
        }
    }
    Some(at + if flags & 2 != 0 { 2 } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_with_and_without_names() {
        let body = miniz_oxide::deflate::compress_to_vec(b"hello", 6);
        for header in
            [vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3][..], b"x.tar\0"].concat()]
        {
            let file = [header, body.clone(), vec![0; 8]].concat();
            assert_eq!(unpack(file.clone().into()).unwrap(), "hello");
            for cut in 3..file.len() - 8 {
                assert!(unpack(Bytes::copy_from_slice(&file[..cut])).is_err(), "{cut}");
            }
        }
        assert_eq!(unpack(Bytes::from_static(b"tar")).unwrap(), "tar");
    }
}
