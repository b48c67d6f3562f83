//! The older document as protobuf, in which Go's clients ask for it (`kubectl explain --output=plaintext-openapiv2`).
//!
//! Upstream: the messages of `github.com/google/gnostic-models/openapiv2/OpenAPIv2.proto`; only what our document has is
//! written.

use json::Value;

/// The media type of the document; clients ask for it with `@v1.0`, which is no media type.
pub(super) const MEDIA_TYPE: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// Numbers of the fields, by the message that they are of.
mod number {
    pub(super) mod document {
        pub(in super::super) const SWAGGER: u64 = 1;
        pub(in super::super) const INFO: u64 = 2;
        pub(in super::super) const PATHS: u64 = 8;
        pub(in super::super) const DEFINITIONS: u64 = 9;
    }
    pub(super) mod info {
        pub(in super::super) const TITLE: u64 = 1;
        pub(in super::super) const VERSION: u64 = 2;
    }
    /// NamedPathItem, NamedSchema, NamedAny and NamedResponseValue.
    pub(super) mod named {
        pub(in super::super) const NAME: u64 = 1;
        pub(in super::super) const VALUE: u64 = 2;
    }
    pub(super) mod path {
        /// Of Paths.
        pub(in super::super) const PATH: u64 = 2;
        /// Of PathItem.
        pub(in super::super) const PATCH: u64 = 8;
    }
    pub(super) mod operation {
        pub(in super::super) const ID: u64 = 5;
        pub(in super::super) const PARAMETERS: u64 = 8;
        pub(in super::super) const RESPONSES: u64 = 9;
        pub(in super::super) const EXTENSION: u64 = 13;
    }
    pub(super) mod parameter {
        /// Of ParametersItem.
        pub(in super::super) const PARAMETER: u64 = 1;
        /// Of Parameter.
        pub(in super::super) const NON_BODY: u64 = 2;
        /// Of NonBodyParameter.
        pub(in super::super) const QUERY: u64 = 3;
        pub(in super::super) const IN: u64 = 2;
        pub(in super::super) const NAME: u64 = 4;
        pub(in super::super) const TYPE: u64 = 6;
        pub(in super::super) const UNIQUE_ITEMS: u64 = 20;
    }
    pub(super) mod schema {
        pub(in super::super) const REF: u64 = 1;
        pub(in super::super) const FORMAT: u64 = 2;
        pub(in super::super) const DESCRIPTION: u64 = 4;
        pub(in super::super) const REQUIRED: u64 = 19;
        pub(in super::super) const ENUM: u64 = 20;
        pub(in super::super) const ADDITIONAL_PROPERTIES: u64 = 21;
        pub(in super::super) const TYPE: u64 = 22;
        pub(in super::super) const ITEMS: u64 = 23;
        pub(in super::super) const PROPERTIES: u64 = 25;
        pub(in super::super) const EXTENSION: u64 = 31;
    }
    /// Of Any.
    pub(super) const YAML: u64 = 2;
    /// Of messages that are there for what they hold.
    pub(super) const ONLY: u64 = 1;
}

/// A message under way.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// A field of bytes, texts and messages alike; there even if it is empty.
    fn bytes(mut self, field: u64, content: &[u8]) -> Message {
        self.varint(field << 3 | 2);
        self.varint(content.len() as u64);
        self.0.extend_from_slice(content);
        self
    }

    /// A text, if there is one.
    fn text(self, field: u64, value: &Value) -> Message {
        match value.as_str() {
            Some(text) => self.bytes(field, text.as_bytes()),
            None => self,
        }
    }

    fn message(self, field: u64, content: &Message) -> Message {
        self.bytes(field, &content.0)
    }

    /// A yes; a no is not written.
    fn yes(mut self, field: u64, value: &Value) -> Message {
        if value == &Value::Bool(true) {
            self.varint(field << 3);
            self.varint(1);
        }
        self
    }

    /// One field for each of several.
    fn all<T>(self, field: u64, of: impl IntoIterator<Item = T>, one: impl Fn(T) -> Message) -> Message {
        of.into_iter().fold(self, |message, item| message.message(field, &one(item)))
    }
}

/// Any value: JSON is YAML.
fn any(value: &Value) -> Message {
    Message::default().bytes(number::YAML, value.to_string().as_bytes())
}

fn named(name: &str, value: &Message) -> Message {
    Message::default().bytes(number::named::NAME, name.as_bytes()).message(number::named::VALUE, value)
}

/// The words of an object that begin with `x-`.
fn extensions(value: &Value) -> impl Iterator<Item = Message> {
    let fields = value.as_object().into_iter().flatten();
    fields.filter(|(name, _)| name.starts_with("x-")).map(|(name, value)| named(name, &any(value)))
}

/// The document from its JSON form (swagger 2.0).
pub(super) fn document(json: &Value) -> Vec<u8> {
    use number::document as field;
    let info = Message::default()
        .text(number::info::TITLE, &json["info"]["title"])
        .text(number::info::VERSION, &json["info"]["version"]);
    let paths =
        Message::default().all(number::path::PATH, json["paths"].as_object().into_iter().flatten(), |(path, item)| {
            let item = Message::default().message(number::path::PATCH, &operation(&item["patch"]));
            named(path, &item)
        });
    Message::default()
        .text(field::SWAGGER, &json["swagger"])
        .message(field::INFO, &info)
        .message(field::PATHS, &paths)
        .message(field::DEFINITIONS, &schemas(&json["definitions"]))
        .0
}

/// Several schemas by name: Definitions and Properties are alike.
fn schemas(json: &Value) -> Message {
    Message::default()
        .all(number::ONLY, json.as_object().into_iter().flatten(), |(name, value)| named(name, &schema(value)))
}

fn schema(json: &Value) -> Message {
    use number::schema as field;
    let list = |name: &str| json[name].as_array().into_iter().flatten();
    let held = |value: &Value| Message::default().message(number::ONLY, &schema(value));
    let mut message = Message::default()
        .text(field::REF, &json["$ref"])
        .text(field::FORMAT, &json["format"])
        .text(field::DESCRIPTION, &json["description"]);
    message = list("required").fold(message, |message, name| message.text(field::REQUIRED, name));
    message = message.all(field::ENUM, list("enum"), any);
    if json["additionalProperties"].is_object() {
        message = message.message(field::ADDITIONAL_PROPERTIES, &held(&json["additionalProperties"]));
    }
    if json["type"].is_string() {
        message = message.message(field::TYPE, &Message::default().text(number::ONLY, &json["type"]));
    }
    if json["items"].is_object() {
        message = message.message(field::ITEMS, &held(&json["items"]));
    }
    if json["properties"].is_object() {
        message = message.message(field::PROPERTIES, &schemas(&json["properties"]));
    }
    extensions(json).fold(message, |message, extension| message.message(field::EXTENSION, &extension))
}

fn operation(json: &Value) -> Message {
    use number::operation as field;
    let responses = Message::default().all(
        number::ONLY,
        json["responses"].as_object().into_iter().flatten(),
        |(code, response)| {
            let response = Message::default().text(number::ONLY, &response["description"]);
            named(code, &Message::default().message(number::ONLY, &response))
        },
    );
    let message = Message::default()
        .text(field::ID, &json["operationId"])
        .all(field::PARAMETERS, json["parameters"].as_array().into_iter().flatten(), parameter)
        .message(field::RESPONSES, &responses);
    extensions(json).fold(message, |message, extension| message.message(field::EXTENSION, &extension))
}

/// A parameter of the query; our document has no others.
fn parameter(json: &Value) -> Message {
    use number::parameter as field;
    let query = Message::default()
        .text(field::IN, &json["in"])
        .text(field::NAME, &json["name"])
        .text(field::TYPE, &json["type"])
        .yes(field::UNIQUE_ITEMS, &json["uniqueItems"]);
    let other = Message::default().message(field::QUERY, &query);
    let parameter = Message::default().message(field::NON_BODY, &other);
    Message::default().message(field::PARAMETER, &parameter)
}
