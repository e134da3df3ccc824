//! `WWW-Authenticate`: how a registry wants its clients to identify.

/// What a registry wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Name and password.
    Basic,
    /// A token that another server gives.
    Bearer { realm: String, service: String, scope: String },
}

impl Challenge {
    /// Finds a challenge that can be met, among several perhaps.
    pub(super) fn parse(header: &str) -> Option<Challenge> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Challenge::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut challenge = (String::new(), String::new(), String::new());
        for (name, value) in parameters(rest) {
            match name.as_str() {
                "realm" => challenge.0 = value,
                "service" => challenge.1 = value,
                "scope" => challenge.2 = value,
                _ => {}
            }
        }
        let (realm, service, scope) = challenge;
        Some(Challenge::Bearer { realm, service, scope })
    }
}

/// `name="value"` pairs, separated by commas; in quotes a backslash takes the next character as it is.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        let mut name = String::new();
        while let Some(c) = chars.next_if(|c| *c != '=') {
            name.push(c);
        }
        if chars.next().is_none() {
            return found;
        }
        let mut value = String::new();
        if chars.next_if_eq(&'"').is_some() {
            while let Some(c) = chars.next_if(|c| *c != '"') {
                value.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
            }
            chars.next();
            while chars.next_if(|c| *c != ',').is_some() {}
        } else {
            while let Some(c) = chars.next_if(|c| *c != ',') {
                value.push(c);
            }
        }
        chars.next();
        let name = name.trim_matches([' ', ',']).to_ascii_lowercase();
        found.push((name, value.trim().to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_parsed() {
        assert_eq!(Challenge::parse("Basic realm=\"x\""), Some(Challenge::Basic));
        assert_eq!(Challenge::parse("Negotiate"), None);
        let text =
            r#"Bearer realm="https://a/token",service="r\"s",scope="repository:a/b:pull,push""#;
        let want = Challenge::Bearer {
            realm: "https://a/token".to_owned(),
            service: "r\"s".to_owned(),
            scope: "repository:a/b:pull,push".to_owned(),
        };
        assert_eq!(Challenge::parse(text), Some(want));
        let bare = Challenge::parse("bearer realm=https://a, service=s");
        assert!(matches!(bare, Some(Challenge::Bearer { service, .. }) if service == "s"));
    }
}
