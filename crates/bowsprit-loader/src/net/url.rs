//! What has to be known of URLs.

use url::Url;

/// Scheme, host and port: what credentials are bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) scheme: String,
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// The origin of an absolute URL.
pub(crate) fn origin(url: &str) -> Option<Origin> {
    let url = Url::parse(url).ok()?;
    Some(Origin {
        scheme: url.scheme().to_owned(),
        host: url.host_str()?.to_owned(),
        port: url.port_or_known_default()?,
    })
}

/// The URL without a password, for printing.
pub(crate) fn redacted(url: &str) -> String {
    // The text stays as it was written where there is nothing to hide.
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((userinfo, host)) => match userinfo.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:xxxxx@{host}{path}"),
            None => url.to_owned(),
        },
        None => url.to_owned(),
    }
}

/// The URL without its user, and user and password, decoded.
pub(crate) fn without_userinfo(url: &str) -> (String, Option<(String, String)>) {
    let Ok(mut parsed) = Url::parse(url) else { return (url.to_owned(), None) };
    if parsed.username().is_empty() && parsed.password().is_none() {
        return (url.to_owned(), None);
    }
    let user = decoded(parsed.username());
    let password = decoded(parsed.password().unwrap_or_default());
    // Neither fails for a URL that has a host, without which there would be no user.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    (parsed.into(), Some((user, password)))
}

fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&crate::reference::unescape(text)).into_owned()
}

/// Where a `Location` leads.
pub(crate) fn resolve(base: &str, location: &str) -> Option<String> {
    Url::parse(base).ok()?.join(location).ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden() {
        for (url, want) in [
            ("http://h/a?b", "http://h/a?b"),
            ("http://u:p@h/a@b", "http://u:xxxxx@h/a@b"),
            ("http://u@h/", "http://u@h/"),
            ("a/b", "a/b"),
        ] {
            assert_eq!(redacted(url), want);
        }
    }

    #[test]
    fn users_are_taken_out() {
        let (url, user) = without_userinfo("https://u%40x:p%3a@h:1/a");
        assert_eq!(url, "https://h:1/a");
        assert_eq!(user, Some(("u@x".to_owned(), "p:".to_owned())));
        assert_eq!(without_userinfo("https://h/a"), ("https://h/a".to_owned(), None));
    }

    #[test]
    fn ports_and_schemes_make_an_origin() {
        assert_eq!(origin("https://h/a"), origin("https://h:443/b"));
        assert_ne!(origin("https://h/a"), origin("http://h/a"));
        assert_ne!(origin("https://h/a"), origin("https://h:444/a"));
        assert_eq!(resolve("http://h/a/b", "../c?d"), Some("http://h/c?d".to_owned()));
    }
}
