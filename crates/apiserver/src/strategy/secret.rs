//! Secrets (pkg/registry/core/secret).

use api::kinds::SECRETS;
use base64::Engine as _;

use super::{Strategy, default_to, plain};
use crate::validation;
use crate::value::{fields, map_mut, text};

pub static STRATEGY: Strategy = Strategy {
    defaults: |object| {
        default_to(object, "type", "Opaque");
        // stringData is written into data, as plain text becomes base64, and is not kept.
        let Some(plain) = map_mut(object).remove("stringData") else { return };
        let data = map_mut(map_mut(object).entry("data").or_insert(json::Value::Null));
        for (key, value) in fields(&plain) {
            let encoded = base64::engine::general_purpose::STANDARD.encode(value.as_str().unwrap_or(""));
            data.insert(key.as_str().into(), encoded.into());
        }
    },
    validate: validation::config::secret,
    validate_update: validation::config::immutable,
    fields: |object| vec![("type", text(object, "type").to_owned())],
    ..plain(&SECRETS)
};
