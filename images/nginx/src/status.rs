//! The words of a status where nginx has others than the rest of the world: in the status line
//! (ngx_http_header_filter_module.c) and in the title of its own pages (ngx_http_special_response.c).

use net::http::reason;

/// Statuses that nginx knows no words for: their status line ends after the number, and they have no page.
const WORDLESS: &[u16] = &[
    100, 101, 102, 103, 203, 205, 207, 208, 226, 300, 305, 417, 418, 422, 423, 424, 425, 426, 428, 431, 451, 506, 508,
    510, 511,
];

/// The words in the status line.
pub fn words(status: u16) -> &'static str {
    match status {
        302 => "Moved Temporarily",
        405 => "Not Allowed",
        408 => "Request Time-out",
        414 => "Request-URI Too Large",
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        wordless if WORDLESS.contains(&wordless) => "",
        other => reason(other),
    }
}

/// The words in the title of a page; none where nginx has no page for the status.
pub fn title(status: u16) -> Option<&'static str> {
    match status {
        302 => Some("Found"),
        401 => Some("Authorization Required"),
        other => Some(words(other)).filter(|words| !words.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nginx_has_words_of_its_own() {
        assert_eq!(
            [302, 405, 408, 418, 200].map(words),
            ["Moved Temporarily", "Not Allowed", "Request Time-out", "", "OK"]
        );
        assert_eq!([302, 401, 418].map(title), [Some("Found"), Some("Authorization Required"), None]);
    }
}
