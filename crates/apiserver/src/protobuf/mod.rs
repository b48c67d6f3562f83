//! Protobuf in: typed clients (and `kubectl create`) send their objects so (`application/vnd.kubernetes.protobuf`).
//!
//! Answers are never protobuf: every client that sends it accepts JSON as well. The messages are those of `api::structs`.

use api::structs;
use base64::Engine as _;
use json::{Map, Value};
use simulation::Time;

/// What the bytes begin with.
const MAGIC: &[u8] = b"k8s\0";

/// Messages inside messages.
const DEPTH_MAX: usize = 64;

/// The bytes are no message of the kind they claim to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtobufError {
    /// They do not begin as Kubernetes' messages do.
    #[error("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")]
    Magic,
    /// They end in the middle of something.
    #[error("unexpected EOF")]
    Truncated,
    /// A field has another type than the table says.
    #[error("proto: wrong wireType for a field")]
    WireType,
    /// The kind is not in the table.
    #[error("no kind of this name is registered")]
    UnknownKind,
    /// Deeper than any real message.
    #[error("proto: too deep")]
    Depth,
}

type Result<T> = std::result::Result<T, ProtobufError>;

/// The message of a kind.
fn message_of(api_version: &str, kind: &str) -> Result<&'static str> {
    structs::of_kind(api_version, kind).ok_or(ProtobufError::UnknownKind)
}

/// Reads an object.
pub fn decode(bytes: &[u8]) -> Result<Value> {
    let mut unknown = Reader(bytes.strip_prefix(MAGIC).ok_or(ProtobufError::Magic)?);
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    while let Some((number, value)) = unknown.field()? {
        match (number, value) {
            (1, Wire::Bytes(meta)) => {
                let mut meta = Reader(meta);
                while let Some((number, value)) = meta.field()? {
                    match number {
                        1 => api_version = value.text()?,
                        2 => kind = value.text()?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let mut map = message(message_of(&api_version, &kind)?, raw, 0)?;
    map.insert("apiVersion".into(), api_version.into());
    map.insert("kind".into(), kind.into());
    Ok(Value::Object(map))
}

fn message(name: &'static str, bytes: &[u8], depth: usize) -> Result<Map> {
    if depth > DEPTH_MAX {
        return Err(ProtobufError::Depth);
    }
    let fields = structs::all().get(name).ok_or(ProtobufError::UnknownKind)?;
    let mut map = Map::new();
    let mut reader = Reader(bytes);
    while let Some((number, wire)) = reader.field()? {
        let Some(field) = fields.iter().find(|field| field.number == number) else { continue };
        let (shape, ty) = match field.ty.as_bytes()[0] {
            shape @ (b'*' | b'{' | b'^') => (shape, &field.ty[1..]),
            _ => (b' ', field.ty),
        };
        match shape {
            b'*' => {
                let list = map.entry(field.name).or_insert_with(|| Value::Array(Vec::new().into()));
                let item = value(ty, wire, depth)?;
                list.as_array_mut().expect("made as a list").push(item);
            }
            b'{' => {
                let (key, item) = entry(ty, wire, depth)?;
                let entries = map.entry(field.name).or_insert_with(|| Value::Object(Map::new()));
                entries.as_object_mut().expect("made as a map").insert(key.into(), item);
            }
            b'^' => match value(ty, wire, depth)? {
                Value::Object(inner) => map.extend(inner),
                _ => return Err(ProtobufError::WireType),
            },
            _ => {
                let value = value(ty, wire, depth)?;
                map.insert(field.name.into(), value);
            }
        }
    }
    Ok(map)
}

fn entry(ty: &'static str, wire: Wire<'_>, depth: usize) -> Result<(String, Value)> {
    let mut reader = Reader(wire.bytes()?);
    let (mut key, mut item) = (String::new(), None);
    while let Some((number, wire)) = reader.field()? {
        match number {
            1 => key = wire.text()?,
            2 => item = Some(value(ty, wire, depth)?),
            _ => {}
        }
    }
    Ok((key, item.unwrap_or_else(|| if ty == "s" || ty == "b" { "".into() } else { Value::Null })))
}

fn value(ty: &'static str, wire: Wire<'_>, depth: usize) -> Result<Value> {
    Ok(match ty {
        "s" => wire.text()?.into(),
        "b" => base64::engine::general_purpose::STANDARD.encode(wire.bytes()?).into(),
        "t" => (wire.varint()? != 0).into(),
        // Negative 32-bit numbers are sent as 64-bit ones.
        "i" => wire.varint()?.cast_signed().into(),
        "d" => f64::from_bits(wire.fixed()?).into(),
        "T" => time(wire, Time::rfc3339)?,
        "M" => time(wire, Time::rfc3339_micro)?,
        "Q" => Reader(wire.bytes()?).text_field(1)?.into(),
        "I" => int_or_string(wire.bytes()?)?,
        "R" => {
            let raw = Reader(wire.bytes()?).bytes_field(1)?;
            json::from_slice(raw).unwrap_or(Value::Null)
        }
        name => Value::Object(message(&name[1..], wire.bytes()?, depth + 1)?),
    })
}

/// An empty time is none.
fn time(wire: Wire<'_>, show: fn(Time) -> String) -> Result<Value> {
    let bytes = wire.bytes()?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let (mut seconds, mut nanos) = (0_i64, 0_i64);
    let mut reader = Reader(bytes);
    while let Some((number, wire)) = reader.field()? {
        match number {
            1 => seconds = wire.varint()?.cast_signed(),
            2 => nanos = wire.varint()?.cast_signed(),
            _ => {}
        }
    }
    Ok(show(Time::from_nanos(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))).into())
}

fn int_or_string(bytes: &[u8]) -> Result<Value> {
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    let mut reader = Reader(bytes);
    while let Some((field, wire)) = reader.field()? {
        match field {
            1 => is_text = wire.varint()? == 1,
            2 => number = wire.varint()?.cast_signed(),
            3 => text = wire.text()?,
            _ => {}
        }
    }
    Ok(if is_text { text.into() } else { number.into() })
}

// --- the wire ---

enum Wire<'a> {
    Varint(u64),
    Fixed(u64),
    Bytes(&'a [u8]),
}

impl<'a> Wire<'a> {
    fn varint(self) -> Result<u64> {
        if let Wire::Varint(value) = self { Ok(value) } else { Err(ProtobufError::WireType) }
    }

    fn fixed(self) -> Result<u64> {
        if let Wire::Fixed(value) = self { Ok(value) } else { Err(ProtobufError::WireType) }
    }

    fn bytes(self) -> Result<&'a [u8]> {
        if let Wire::Bytes(value) = self { Ok(value) } else { Err(ProtobufError::WireType) }
    }

    fn text(self) -> Result<String> {
        Ok(String::from_utf8_lossy(self.bytes()?).into_owned())
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next field; `None` at the end.
    fn field(&mut self) -> Result<Option<(u64, Wire<'a>)>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let wire = match key & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed(self.little(8)?),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| ProtobufError::Truncated)?;
                Wire::Bytes(self.take(length)?)
            }
            5 => Wire::Fixed(self.little(4)?),
            _ => return Err(ProtobufError::WireType),
        };
        Ok(Some((key >> 3, wire)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(length).ok_or(ProtobufError::Truncated)?;
        self.0 = tail;
        Ok(head)
    }

    fn little(&mut self, length: usize) -> Result<u64> {
        Ok(self.take(length)?.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ProtobufError::WireType)
    }

    fn bytes_field(&mut self, wanted: u64) -> Result<&'a [u8]> {
        let mut found = &[][..];
        while let Some((number, wire)) = self.field()? {
            if number == wanted {
                found = wire.bytes()?;
            }
        }
        Ok(found)
    }

    fn text_field(&mut self, wanted: u64) -> Result<String> {
        Ok(String::from_utf8_lossy(self.bytes_field(wanted)?).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    fn varint(mut value: u64, out: &mut Vec<u8>) {
        while value >= 0x80 {
            out.push((value as u8) | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }

    fn bytes(number: u64, content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        varint(number << 3 | 2, &mut out);
        varint(content.len() as u64, &mut out);
        out.extend_from_slice(content);
        out
    }

    fn number(field: u64, value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        varint(field << 3, &mut out);
        varint(value, &mut out);
        out
    }

    fn object(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [bytes(1, api_version.as_bytes()), bytes(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), bytes(1, &meta), bytes(2, raw)].concat()
    }

    #[test]
    fn every_message_leads_to_messages() {
        for (name, fields) in structs::all() {
            for field in fields {
                let ty = field.ty.trim_start_matches(['*', '{', '^']);
                let known = matches!(ty, "s" | "b" | "t" | "i" | "d" | "T" | "M" | "Q" | "I" | "R");
                assert!(known || structs::all().contains_key(&ty[1..]), "{name}.{}: {ty}", field.name);
            }
        }
        // Clients of these two send JSON.
        let json = ["apiextensions.k8s.io", "apiregistration.k8s.io"];
        for kind in api::kinds::KINDS.iter().chain(api::kinds::VERSIONS).filter(|kind| !json.contains(&kind.group)) {
            assert!(message_of(&kind.api_version(), kind.kind).is_ok(), "{}", kind.plural);
        }
    }

    #[test]
    fn a_service() {
        let label = bytes(11, &[bytes(1, b"app"), bytes(2, b"web")].concat());
        let metadata = [bytes(1, b"web"), bytes(8, &[]), label].concat();
        let target = [number(1, 0), number(2, 8080)].concat();
        let port = [bytes(2, b"TCP"), number(3, 80), bytes(4, &target)].concat();
        let spec = [bytes(1, &port), bytes(4, b"ClusterIP")].concat();
        let raw = [bytes(1, &metadata), bytes(2, &spec)].concat();
        assert_eq!(
            decode(&object("v1", "Service", &raw)),
            Ok(json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {"name": "web", "creationTimestamp": null, "labels": {"app": "web"}},
                "spec": {"ports": [{"protocol": "TCP", "port": 80, "targetPort": 8080}], "type": "ClusterIP"},
            }))
        );
    }

    #[test]
    fn embedded_structs_and_lists() {
        let empty_dir = bytes(2, &[]);
        let volume = [bytes(1, b"data"), bytes(2, &empty_dir)].concat();
        let container = [bytes(1, b"c"), bytes(3, b"sh"), bytes(3, b"-c")].concat();
        let spec = [bytes(1, &volume), bytes(2, &container), number(4, 30)].concat();
        let pod = decode(&object("v1", "Pod", &bytes(2, &spec)));
        let expected = json!({
            "volumes": [{"name": "data", "emptyDir": {}}],
            "containers": [{"name": "c", "command": ["sh", "-c"]}],
            "terminationGracePeriodSeconds": 30,
        });
        assert_eq!(pod.map(|mut p| p["spec"].take()), Ok(expected));
    }

    #[test]
    fn bytes_that_are_no_message() {
        assert_eq!(decode(b"{}"), Err(ProtobufError::Magic));
        assert_eq!(decode(b"k8s\0\x0a\x7f"), Err(ProtobufError::Truncated));
        assert_eq!(decode(&object("v1", "Nothing", &[])), Err(ProtobufError::UnknownKind));
        assert_eq!(decode(&object("v1", "Pod", &number(1, 3))), Err(ProtobufError::WireType));
    }
}
