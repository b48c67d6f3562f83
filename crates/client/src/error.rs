//! Why a call failed.

use api::http::TransportError;
use json::Value;

/// A refusal by the API server: its `Status` object.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// HTTP status code.
    pub code: u16,
    /// Machine-readable reason, e.g. `NotFound`; empty if the server gave none.
    pub reason: String,
    /// The server's sentence.
    pub message: String,
    /// `details` of the Status, `Null` if absent.
    pub details: Value,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The server answered with a Status. Retryable if [`Error::is_conflict`], or on codes 429 and 5xx.
    #[error("{}", .0.message)]
    Status(Box<ApiError>),
    /// No answer came. Retryable, except `Unsupported`.
    #[error("no answer: {0:?}")]
    Transport(TransportError),
    /// The answer could not be understood. Not retryable.
    #[error("bad answer: {0}")]
    Decode(String),
}

impl From<TransportError> for Error {
    fn from(error: TransportError) -> Self {
        Error::Transport(error)
    }
}

impl Error {
    /// Reads a Status object; other bodies become the message.
    pub(crate) fn from_body(code: u16, body: &[u8]) -> Error {
        let status: Value = json::from_slice(body).unwrap_or(Value::Null);
        Error::from_status(code, &status, || String::from_utf8_lossy(body).trim().to_owned())
    }

    pub(crate) fn from_status(code: u16, status: &Value, fallback: impl FnOnce() -> String) -> Error {
        let text = |field: &str| status.get(field).and_then(Value::as_str).map(str::to_owned);
        let code = status.get("code").and_then(Value::as_u64).and_then(|c| u16::try_from(c).ok()).unwrap_or(code);
        Error::Status(Box::new(ApiError {
            code,
            reason: text("reason").unwrap_or_default(),
            message: text("message").unwrap_or_else(fallback),
            details: status.get("details").cloned().unwrap_or(Value::Null),
        }))
    }

    /// The HTTP status, if the server answered.
    pub fn code(&self) -> Option<u16> {
        match self {
            Error::Status(status) => Some(status.code),
            _ => None,
        }
    }

    fn has_reason(&self, reason: &str) -> bool {
        matches!(self, Error::Status(status) if status.reason == reason)
    }

    /// 404 with reason NotFound.
    pub fn is_not_found(&self) -> bool {
        self.has_reason("NotFound")
    }

    /// 409: the object changed since it was read.
    pub fn is_conflict(&self) -> bool {
        self.has_reason("Conflict")
    }

    /// 409: there is one of that name already.
    pub fn is_already_exists(&self) -> bool {
        self.has_reason("AlreadyExists")
    }

    /// 410: the revision asked for is no longer kept.
    pub fn is_gone(&self) -> bool {
        self.code() == Some(410) || self.has_reason("Expired") || self.has_reason("Gone")
    }
}
