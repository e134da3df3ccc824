//! Names of images, taken apart as Karmada does it (its package `imageparser`).

/// The parts of an image's name. Of a name with a tag and a digest Karmada forgets the digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) registry: String,
    pub(super) repository: String,
    /// A tag, or a digest behind `@`.
    pub(super) tag: String,
    is_digest: bool,
}

impl Image {
    /// Takes a name apart; none where it is no name of an image.
    pub(super) fn parse(name: &str) -> Option<Image> {
        let (rest, digest) = match name.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (name, None),
        };
        let (path, tag) = match rest.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        let (first, below) = path.split_once('/').unwrap_or(("", path));
        let valid = below.split('/').all(is_component)
            && (first.is_empty() || is_domain(first) || is_component(first))
            && path.len() <= 255
            && tag.is_none_or(is_tag)
            && digest.is_none_or(is_digest);
        let is_host = first.contains(['.', ':']) || first == "localhost";
        let (registry, repository) = if is_host { (first, below) } else { ("", path) };
        valid.then(|| Image {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            tag: tag.or(digest).unwrap_or_default().to_owned(),
            is_digest: tag.is_none() && digest.is_some(),
        })
    }

    /// Sets a tag or a digest, whichever the text is; nothing where it is neither.
    pub(super) fn set_tag(&mut self, text: String) {
        if text.is_empty() || is_tag(&text) {
            (self.tag, self.is_digest) = (text, false);
        } else if is_digest(&text) {
            (self.tag, self.is_digest) = (text, true);
        }
    }
}

/// Lower-case words with single separators between.
fn is_component(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut rest = text;
    loop {
        let after = rest.trim_start_matches(word);
        if after.len() == rest.len() {
            return false;
        }
        if after.is_empty() {
            return true;
        }
        let dashes = after.trim_start_matches('-');
        rest = match after.strip_prefix("__").or_else(|| after.strip_prefix(['.', '_'])) {
            Some(next) => next,
            None if dashes.len() < after.len() => dashes,
            None => return false,
        };
    }
}

fn is_domain(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "0"));
    let part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    host.split('.').all(part) && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=128).contains(&text.len())
        && text.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
        && !text.starts_with(['.', '-'])
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    algorithm.starts_with(|c: char| c.is_ascii_alphabetic())
        && algorithm.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_+.".contains(&b))
        && hex.len() >= 32
        && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

impl std::fmt::Display for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.registry.is_empty() {
            write!(f, "{}/", self.registry)?;
        }
        f.write_str(&self.repository)?;
        match self.tag.as_str() {
            "" => Ok(()),
            tag => write!(f, "{}{tag}", if self.is_digest { '@' } else { ':' }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let hex = "50d858e0985ecc7f60418aaf0cc5ab587f42c2570a884095a9e8ccacd0f6545c";
        for (name, want) in [
            ("nginx", Some(("", "nginx", ""))),
            ("library/nginx:1.25", Some(("", "library/nginx", "1.25"))),
            ("quay.io/a/b_c:v1", Some(("quay.io", "a/b_c", "v1"))),
            ("localhost:5000/a", Some(("localhost:5000", "a", ""))),
            (&format!("gcr.io/a@sha256:{hex}"), Some(("gcr.io", "a", &*format!("sha256:{hex}")))),
            (&format!("a:1@sha256:{hex}"), Some(("", "a", "1"))),
            ("A", None),
            ("a..b", None),
            ("a:", None),
            ("a/:b", None),
            ("", None),
            ("quay.io/", None),
        ] {
            let image = Image::parse(name);
            let got = image.as_ref().map(|i| (&*i.registry, &*i.repository, &*i.tag));
            assert_eq!(got, want, "{name}");
            if let Some(image) = image.filter(|_| !name.contains("1@")) {
                assert_eq!(image.to_string(), name);
            }
        }
    }
}
