//! A guest's memory, little-endian, never out of bounds.

use vfs::Errno;

/// The bytes at `at..at + length`, or `EFAULT`.
pub(crate) fn slice(memory: &[u8], at: u32, length: usize) -> Result<&[u8], Errno> {
    let from = at as usize;
    memory.get(from..from.checked_add(length).ok_or(Errno::Fault)?).ok_or(Errno::Fault)
}

pub(crate) fn put(memory: &mut [u8], at: u32, bytes: &[u8]) -> Result<(), Errno> {
    let from = at as usize;
    let to = from.checked_add(bytes.len()).ok_or(Errno::Fault)?;
    memory.get_mut(from..to).ok_or(Errno::Fault)?.copy_from_slice(bytes);
    Ok(())
}

pub(crate) fn u32_at(memory: &[u8], at: u32) -> Result<u32, Errno> {
    let b = slice(memory, at, 4)?;
    Ok(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

pub(crate) fn u64_at(memory: &[u8], at: u32) -> Result<u64, Errno> {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(slice(memory, at, 8)?);
    Ok(u64::from_le_bytes(bytes))
}

/// Buffers of a scattered read or write: pointer and length each.
pub(crate) fn iovecs(memory: &[u8], at: u32, count: u32) -> Result<Vec<(u32, u32)>, Errno> {
    if count > super::IOVECS_MAX {
        return Err(Errno::Invalid);
    }
    (0..count)
        .map(|i| {
            let at = at.checked_add(i * 8).ok_or(Errno::Fault)?;
            let (buffer, length) = (u32_at(memory, at)?, u32_at(memory, at.checked_add(4).ok_or(Errno::Fault)?)?);
            slice(memory, buffer, length as usize)?;
            Ok((buffer, length))
        })
        .collect()
}
