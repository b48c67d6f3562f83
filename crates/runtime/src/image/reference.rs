//! Names of images (`github.com/distribution/reference`).

use std::fmt;

use thiserror::Error;

/// Bytes of a repository's name.
const NAME_BYTES_MAX: usize = 255;
/// Bytes of a tag.
const TAG_BYTES_MAX: usize = 128;

/// A name in full: registry, repository, and a tag or a digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// E.g. `docker.io`.
    pub domain: String,
    /// E.g. `library/nginx`.
    pub path: String,
    /// The tag; `latest` when nothing was given.
    pub tag: Option<String>,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: Option<String>,
}

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidReference {
    /// Anything that has no sentence of its own.
    #[error("invalid reference format")]
    Format,
    /// Upper-case letters.
    #[error("invalid reference format: repository name ({0}) must be lowercase")]
    UpperCase(String),
    /// Too long.
    #[error("repository name must not be more than {NAME_BYTES_MAX} characters")]
    TooLong,
}

impl Reference {
    /// Reads a name as people write it: `nginx`, `nginx:1.27`, `quay.io/a/b@sha256:...`.
    ///
    /// # Errors
    /// With the sentence that container runtimes print.
    pub fn parse(text: &str) -> Result<Reference, InvalidReference> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(check_digest(digest)?)),
            None => (text, None),
        };
        let (domain, remainder) = match rest.split_once('/') {
            Some((first, rest)) if is_domain(first) => (first.to_owned(), rest.to_owned()),
            _ => ("docker.io".to_owned(), rest.to_owned()),
        };
        let domain = if domain == "index.docker.io" { "docker.io".to_owned() } else { domain };
        let (path, tag) = match remainder.split_once(':') {
            Some((path, tag)) => (path.to_owned(), Some(check_tag(tag)?)),
            None => (remainder, None),
        };
        let path = if domain == "docker.io" && !path.contains('/') { format!("library/{path}") } else { path };
        if path.to_ascii_lowercase() != path {
            return Err(InvalidReference::UpperCase(path.trim_start_matches("library/").to_owned()));
        }
        if !is_domain_valid(&domain) || !path.split('/').all(is_component) {
            return Err(InvalidReference::Format);
        }
        if domain.len() + 1 + path.len() > NAME_BYTES_MAX {
            return Err(InvalidReference::TooLong);
        }
        let tag = if tag.is_none() && digest.is_none() { Some("latest".to_owned()) } else { tag };
        Ok(Reference { domain, path, tag, digest })
    }

    /// The repository in full, e.g. `docker.io/library/nginx`.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// The repository as people write it, e.g. `nginx`.
    pub fn familiar_repository(&self) -> String {
        if self.domain != "docker.io" {
            return self.repository();
        }
        self.path.strip_prefix("library/").unwrap_or(&self.path).to_owned()
    }

    /// The whole name as people write it, with its tag or digest, e.g. `nginx:latest`.
    pub fn familiar(&self) -> String {
        format!("{}{}", self.familiar_repository(), self.suffix())
    }

    fn suffix(&self) -> String {
        let tag = self.tag.as_ref().map(|t| format!(":{t}")).unwrap_or_default();
        let digest = self.digest.as_ref().map(|d| format!("@{d}")).unwrap_or_default();
        format!("{tag}{digest}")
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.repository(), self.suffix())
    }
}

/// The first part of a name is a registry when it has a dot or a port, is `localhost`, or has upper-case letters.
fn is_domain(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.to_ascii_lowercase() != first
}

fn is_domain_valid(domain: &str) -> bool {
    let (host, port) = domain.split_once(':').map_or((domain, None), |(host, port)| (host, Some(port)));
    let label = |l: &str| {
        !l.is_empty()
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    host.split('.').all(label) && port.is_none_or(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

/// Lower-case letters and digits, separated by one dot, one or two underscores, or dashes.
fn is_component(component: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    if !alphanumeric(*first) || !alphanumeric(*last) {
        return false;
    }
    let separators = component.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    separators.into_iter().all(|s| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-'))
}

fn check_tag(tag: &str) -> Result<String, InvalidReference> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let first = tag.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    if first && tag.len() <= TAG_BYTES_MAX && tag.bytes().all(good) {
        Ok(tag.to_owned())
    } else {
        Err(InvalidReference::Format)
    }
}

fn check_digest(digest: &str) -> Result<String, InvalidReference> {
    let hex = digest.strip_prefix("sha256:").ok_or(InvalidReference::Format)?;
    let good = hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if good { Ok(digest.to_owned()) } else { Err(InvalidReference::Format) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_full() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, full, familiar) in [
            ("nginx", "docker.io/library/nginx:latest", "nginx:latest"),
            ("nginx:1.14.2", "docker.io/library/nginx:1.14.2", "nginx:1.14.2"),
            ("library/nginx", "docker.io/library/nginx:latest", "nginx:latest"),
            ("index.docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest"),
            ("curlimages/curl", "docker.io/curlimages/curl:latest", "curlimages/curl:latest"),
            (
                "gcr.io/google-samples/kubernetes-bootcamp:v1",
                "gcr.io/google-samples/kubernetes-bootcamp:v1",
                "gcr.io/google-samples/kubernetes-bootcamp:v1",
            ),
            ("localhost/x", "localhost/x:latest", "localhost/x:latest"),
            ("reg:5000/x:y", "reg:5000/x:y", "reg:5000/x:y"),
            ("my__image-a.b", "docker.io/library/my__image-a.b:latest", "my__image-a.b:latest"),
        ] {
            let reference = Reference::parse(text).unwrap();
            assert_eq!((reference.to_string().as_str(), reference.familiar().as_str()), (full, familiar), "{text}");
        }
        let pinned = Reference::parse(&format!("nginx@{digest}")).unwrap();
        assert_eq!((pinned.tag.as_deref(), pinned.digest.as_deref()), (None, Some(digest.as_str())));
    }

    #[test]
    fn what_is_no_name() {
        let error = |text: &str| Reference::parse(text).unwrap_err().to_string();
        for text in ["", ":", "nginx:", "nginx:a:b", "-a", "a..b", "a___b", "nginx@sha256:12", "a b", "a//b", "nginx:ä"]
        {
            assert_eq!(error(text), "invalid reference format", "{text}");
        }
        assert_eq!(error("NGINX"), "invalid reference format: repository name (NGINX) must be lowercase");
        assert_eq!(error(&"a".repeat(300)), "repository name must not be more than 255 characters");
    }
}
