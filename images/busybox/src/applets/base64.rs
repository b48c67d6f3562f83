//! base64.

use crate::applet::{Fail, Io, Options, Outcome, each_file, read_all};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let value = chunk.iter().fold(0u32, |v, b| (v << 8) | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let digit = ALPHABET[(value >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (mut value, mut bits, mut out) = (0u32, 0, Vec::new());
    for byte in text.iter().filter(|b| !b.is_ascii_whitespace() && **b != b'=') {
        let digit = ALPHABET.iter().position(|a| a == byte)?;
        value = (value << 6) | u32::try_from(digit).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((value >> bits).to_le_bytes()[0]);
        }
    }
    Some(out)
}

/// Encodes or decodes.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "dw:", &[("decode", 'd'), ("wrap", 'w')])?;
    let width = options.number('w')?.unwrap_or(76);
    each_file(io, "base64", &options.operands, |input, out, _| {
        let bytes = read_all(input)?;
        if options.has('d') {
            out.write_all(&decode(&bytes).ok_or_else(|| Fail::Message("truncated input".to_owned()))?)?;
            return Ok(());
        }
        let text = encode(&bytes);
        match usize::try_from(width) {
            Ok(0) | Err(_) => out.write_all(text.as_bytes())?,
            Ok(width) => {
                for line in text.as_bytes().chunks(width) {
                    out.write_all(line)?;
                    out.write_all(b"\n")?;
                }
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::check;

    #[test]
    fn base64() {
        check("base64", &[], "hello\n", "aGVsbG8K\n");
        check("base64", &["-w0"], "ab", "YWI=");
        check("base64", &["-d"], "aGVsbG8K\n", "hello\n");
    }
}
