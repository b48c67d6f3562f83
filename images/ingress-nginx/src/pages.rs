//! nginx's words and its own pages, without its version (`server_tokens off`).

use std::time::SystemTime;

use net::http::{Response, http_date, reason};

/// The words in the status line.
pub fn words(status: u16) -> &'static str {
    match status {
        302 => "Moved Temporarily",
        405 => "Not Allowed",
        408 => "Request Time-out",
        414 => "Request-URI Too Large",
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        other => reason(other),
    }
}

/// A page of nginx's own for a status of 300 and more.
pub fn page(status: u16) -> Response {
    let title = if status == 302 { "Found" } else { words(status) };
    titled(status, &format!("{status} {title}"), None)
}

/// The page for who speaks plain HTTP to the port of HTTPS.
pub fn plain_to_https() -> Response {
    let sentence = "The plain HTTP request was sent to HTTPS port";
    titled(400, &format!("400 {sentence}"), Some((words(400), sentence)))
}

fn titled(status: u16, title: &str, more: Option<(&str, &str)>) -> Response {
    let heading = more.map_or(title.to_owned(), |(words, _)| format!("{status} {words}"));
    let sentence = more.map_or(String::new(), |(_, sentence)| format!("<center>{sentence}</center>\r\n"));
    let body = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{heading}</h1></center>\r\n{sentence}<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    answer(status, "text/html", body)
}

/// An answer with the date before all else, as nginx has it.
pub fn answer(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
    let mut headers = vec![("Date".to_owned(), http_date(SystemTime::now()))];
    headers.push(("Content-Type".to_owned(), content_type.to_owned()));
    Response { status, headers, body: vec![body.into()], chunked: false, words: Some(words(status)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_the_bytes_of_nginx() {
        // As access logs of ingress-nginx show them.
        let bytes = [404, 308, 503, 502, 504].map(|status| page(status).body_bytes());
        assert_eq!(bytes, [146, 164, 190, 150, 160]);
        let text = String::from_utf8(page(404).body.concat()).expect("text");
        assert!(text.contains("<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n"));
        let text = String::from_utf8(plain_to_https().body.concat()).expect("text");
        assert!(text.contains("<center><h1>400 Bad Request</h1></center>\r\n<center>The plain HTTP request was sent"));
    }
}
