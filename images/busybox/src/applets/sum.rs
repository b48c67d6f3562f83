//! sha256sum and md5sum.

use crate::applet::{Fail, Io, Options, Outcome, each_file, lines, read_all};

/// The first 32 bits of the fractions of the cube roots of the first 64 primes.
const K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
];

/// Pads as both functions do: a one bit, zeros, the length in bits.
fn padded(bytes: &[u8], big: bool) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out.push(0x80);
    while out.len() % 64 != 56 {
        out.push(0);
    }
    let bits = bytes.len() as u64 * 8;
    out.extend_from_slice(&if big { bits.to_be_bytes() } else { bits.to_le_bytes() });
    out
}

fn sha256_of(bytes: &[u8]) -> String {
    let mut h: [u32; 8] =
        [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
    for block in padded(bytes, true).chunks_exact(64) {
        let mut w = [0u32; 64];
        for (i, word) in block.chunks_exact(4).enumerate() {
            w[i] = u32::from_be_bytes([word[0], word[1], word[2], word[3]]);
        }
        for i in 16..64 {
            let s0 = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ (w[i - 15] >> 3);
            let s1 = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ (w[i - 2] >> 10);
            w[i] = w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1);
        }
        let mut v = h;
        for i in 0..64 {
            let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
            let choice = (v[4] & v[5]) ^ (!v[4] & v[6]);
            let t1 = v[7].wrapping_add(s1).wrapping_add(choice).wrapping_add(K[i]).wrapping_add(w[i]);
            let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
            let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
            v = [t1.wrapping_add(s0.wrapping_add(majority)), v[0], v[1], v[2], v[3].wrapping_add(t1), v[4], v[5], v[6]];
        }
        for (sum, value) in h.iter_mut().zip(v) {
            *sum = sum.wrapping_add(value);
        }
    }
    h.iter().map(|word| format!("{word:08x}")).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the table is defined by these 32 bits")]
fn md5_of(bytes: &[u8]) -> String {
    const S: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let mut h: [u32; 4] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
    for block in padded(bytes, false).chunks_exact(64) {
        let word = |i: usize| u32::from_le_bytes([block[4 * i], block[4 * i + 1], block[4 * i + 2], block[4 * i + 3]]);
        let [mut a, mut b, mut c, mut d] = h;
        for i in 0..64 {
            let (f, g) = match i / 16 {
                0 => ((b & c) | (!b & d), i),
                1 => ((d & b) | (!d & c), (5 * i + 1) % 16),
                2 => (b ^ c ^ d, (3 * i + 5) % 16),
                _ => (c ^ (b | !d), 7 * i % 16),
            };
            let k = (((i + 1) as f64).sin().abs() * 4_294_967_296.0) as u32;
            let sum = a.wrapping_add(f).wrapping_add(k).wrapping_add(word(g));
            (a, d, c) = (d, c, b);
            b = b.wrapping_add(sum.rotate_left(S[i / 16][i % 4]));
        }
        for (sum, value) in h.iter_mut().zip([a, b, c, d]) {
            *sum = sum.wrapping_add(value);
        }
    }
    h.iter().flat_map(|word| word.to_le_bytes()).map(|b| format!("{b:02x}")).collect()
}

fn sums(io: &mut Io<'_>, args: &[String], name: &str, hash: fn(&[u8]) -> String) -> Outcome {
    let options = Options::parse(&args[1..], "cs", &[("check", 'c')])?;
    if !options.has('c') {
        return each_file(io, name, &options.operands, |input, out, file| {
            Ok(writeln!(out, "{}  {file}", hash(&read_all(input)?))?)
        });
    }
    let mut failed = 0;
    each_file(io, name, &options.operands, |input, out, _| {
        for line in lines(&read_all(input)?) {
            let line = String::from_utf8_lossy(line);
            let Some((digest, file)) = line.split_once("  ") else { continue };
            let good = std::fs::read(file).is_ok_and(|bytes| hash(&bytes) == digest);
            failed += usize::from(!good);
            writeln!(out, "{file}: {}", if good { "OK" } else { "FAILED" })?;
        }
        Ok(())
    })?;
    if failed > 0 {
        return Err(Fail::Message(format!("WARNING: {failed} computed checksums did NOT match")));
    }
    Ok(0)
}

/// SHA-256.
pub fn sha256(io: &mut Io<'_>, args: &[String]) -> Outcome {
    sums(io, args, "sha256sum", sha256_of)
}

/// MD5.
pub fn md5(io: &mut Io<'_>, args: &[String]) -> Outcome {
    sums(io, args, "md5sum", md5_of)
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::check;

    #[test]
    fn published_digests() {
        check("sha256sum", &[], "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  -\n");
        check("sha256sum", &[], "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  -\n");
        check("md5sum", &[], "abc", "900150983cd24fb0d6963f7d28e17f72  -\n");
    }
}
