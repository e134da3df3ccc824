//! The objects that say where charts and files come from.

use crate::access::{flag, map, map_at, some_text, text};
use crate::inventory::{Inventory, ObjectRef, not_found};
use bowsprit_value::{Map, json};
use std::fmt;

/// Where charts or files are, as a HelmRepository, OCIRepository, GitRepository or Bucket says it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Source {
    /// The kind of the object.
    pub kind: String,
    /// `spec.url`; that of a bucket is made up of its endpoint and name.
    pub url: String,
    /// Which revision of a GitRepository.
    pub revision: Revision,
    /// `spec.ignore`: patterns of files that are left out, in the form of `.gitignore`.
    pub ignore: Option<String>,
    /// `spec.layerSelector.mediaType` of an OCIRepository; the first layer where it is not given.
    pub layer: Option<String>,
    /// How to get in; or why that is not known, such as a Secret that is not there.
    pub access: Result<Access, String>,
}

/// `spec.ref` of a GitRepository. Of several the later field counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Revision {
    /// `branch`.
    pub branch: Option<String>,
    /// `tag`.
    pub tag: Option<String>,
    /// `semver`: the highest tag in this range.
    pub semver: Option<String>,
    /// `name`: the whole name of a reference.
    pub name: Option<String>,
    /// `commit`.
    pub commit: Option<String>,
}

/// Credentials and trust, out of the Secrets that a source names. Texts are empty where there are none.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Access {
    /// Which Secrets they are from; none were named where this is empty.
    pub origin: String,
    /// The name of a user.
    pub username: String,
    /// The user's password.
    pub password: String,
    /// A token that stands for both.
    pub bearer_token: String,
    /// Docker's `config.json`.
    pub docker_config: String,
    /// A certificate to identify with, in PEM.
    pub certificate: String,
    /// The key of that certificate, in PEM.
    pub key: String,
    /// The authorities to trust, in PEM.
    pub authorities: String,
    /// A private key for SSH.
    pub identity: String,
    /// The hosts that SSH knows.
    pub known_hosts: String,
    /// `spec.passCredentials`: every host that charts come from gets the password.
    pub pass_credentials: bool,
    /// `spec.insecure`: a registry without TLS.
    pub insecure: bool,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Access { origin, username, pass_credentials, insecure, .. } = self;
        f.debug_struct("Access")
            .field("origin", origin)
            .field("username", username)
            .field("pass_credentials", pass_credentials)
            .field("insecure", insecure)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// Name and password for a host of a registry: those of the Secret, or those that Docker's
    /// configuration in it has for this host.
    pub fn login(&self, host: &str) -> Option<(String, String)> {
        if !self.password.is_empty() {
            return Some((self.username.clone(), self.password.clone()));
        }
        let config = json::decode_map(self.docker_config.as_bytes()).ok()?;
        let auths = map(&config, "auths")?;
        let entries = auths.entries();
        let bare = |address: &str| {
            let address = address.split_once("://").map_or(address, |(_, rest)| rest);
            address.split('/').next().unwrap_or_default().to_owned()
        };
        let entry = entries.iter().find(|(address, _)| bare(&address.to_string_lossy()) == host);
        let entry = entry?.1.as_map()?;
        let pair = crate::inventory::decode_base64(text(entry, "auth").as_bytes());
        let pair = String::from_utf8_lossy(&pair).into_owned();
        match pair.split_once(':') {
            Some((name, password)) => Some((name.to_owned(), password.to_owned())),
            None => Some((some_text(entry, "username")?, some_text(entry, "password")?)),
        }
    }
}

impl Source {
    /// A URL that no object describes.
    pub fn of_url(kind: impl Into<String>, url: impl Into<String>) -> Source {
        Source {
            kind: kind.into(),
            url: url.into(),
            revision: Revision::default(),
            ignore: None,
            layer: None,
            access: Ok(Access::default()),
        }
    }

    /// Reads an object of which only the kind is known.
    pub(crate) fn of(key: &ObjectRef, spec: &Map, inventory: &Inventory) -> Source {
        let reference = map_at(spec, &["ref"]);
        let of = |field: &str| some_text(&reference, field);
        Source {
            kind: key.kind.clone(),
            url: url_of(&key.kind, spec),
            revision: Revision {
                branch: of("branch"),
                tag: of("tag"),
                semver: of("semver"),
                name: of("name"),
                commit: of("commit"),
            },
            ignore: some_text(spec, "ignore"),
            layer: some_text(&map_at(spec, &["layerSelector"]), "mediaType"),
            access: access(key, spec, inventory),
        }
    }

    /// The same source, further down.
    pub(crate) fn below(&self, path: &str) -> Source {
        let url = format!("{}/{path}", self.url.trim_end_matches('/'));
        Source { url, ..self.clone() }
    }
}

/// The URL of a source; that of a bucket is made up of its endpoint and name.
pub(crate) fn url_of(kind: &str, spec: &Map) -> String {
    match kind {
        "Bucket" => format!("{}/{}", text(spec, "endpoint"), text(spec, "bucketName")),
        _ => text(spec, "url"),
    }
}

fn access(key: &ObjectRef, spec: &Map, inventory: &Inventory) -> Result<Access, String> {
    let mut access = Access {
        pass_credentials: flag(spec, "passCredentials"),
        insecure: flag(spec, "insecure"),
        ..Access::default()
    };
    // Where both name the same, the second counts.
    for field in ["secretRef", "certSecretRef"] {
        let Some(reference) = map(spec, field) else { continue };
        let secret = ObjectRef::new("Secret", &*key.namespace, text(&reference, "name"));
        let entries = inventory.entries(&secret).map_err(|_| {
            format!("the Secret of {key} is not among the objects: {}", not_found(&secret))
        })?;
        access.origin = secret.to_string();
        for (name, value) in entries {
            let field = match name.as_str() {
                "username" => &mut access.username,
                "password" => &mut access.password,
                "bearerToken" => &mut access.bearer_token,
                ".dockerconfigjson" => &mut access.docker_config,
                "tls.crt" | "certFile" => &mut access.certificate,
                "tls.key" | "keyFile" => &mut access.key,
                "ca.crt" | "caFile" => &mut access.authorities,
                "identity" => &mut access.identity,
                "known_hosts" => &mut access.known_hosts,
                _ => continue,
            };
            *field = value;
        }
    }
    Ok(access)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_open_sources() {
        let mut inventory = Inventory::new("apps");
        let text = "kind: Secret\nmetadata: {name: pull}\nstringData: {.dockerconfigjson: '{\"auths\": {\"https://r.example/v1/\": {\"auth\": \"dTpwOnc=\"}, \"s.example\": {\"username\": \"a\", \"password\": \"b\"}}}'}\n---\n\
                    kind: Secret\nmetadata: {name: user}\ndata: {username: dQ==, password: cA==}\n";
        inventory.read("t", text.as_bytes()).unwrap();
        let source = |spec: &str| {
            let spec = bowsprit_yaml::decode(spec.as_bytes()).unwrap();
            let key = ObjectRef::new("OCIRepository", "apps", "web");
            Source::of(&key, spec.as_map().unwrap(), &inventory)
        };
        let pull = source("{url: oci://r.example/web, secretRef: {name: pull}, insecure: true}");
        let access = pull.access.unwrap();
        assert!(access.insecure);
        assert_eq!(access.login("r.example"), Some(("u".to_owned(), "p:w".to_owned())));
        assert_eq!(access.login("s.example"), Some(("a".to_owned(), "b".to_owned())));
        assert_eq!(access.login("t.example"), None);
        let user = source("{url: oci://r.example/web, secretRef: {name: user}}").access.unwrap();
        assert_eq!(user.login("any"), Some(("u".to_owned(), "p".to_owned())));
        assert!(!format!("{user:?}").contains('p') || !format!("{user:?}").contains("\"p\""));
        assert_eq!(
            source("{url: x, secretRef: {name: nope}}").access.unwrap_err(),
            "the Secret of OCIRepository apps/web is not among the objects: secrets \"nope\" not found"
        );
    }
}
