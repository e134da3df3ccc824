//! `repositories.yaml`.

use super::Error;
use crate::io::PathError;
use crate::net::{Credentials, Tls, sink};
use bowsprit_value::{List, Map, Meter, Value};
use std::fmt;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

/// A repository that has been added.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repository {
    /// The name that stands before the slash in `name/chart`.
    pub name: String,
    /// Where its `index.yaml` is.
    pub url: String,
    /// A name to identify with.
    pub username: String,
    /// The password of that name.
    pub password: String,
    /// A certificate to identify with, and its key.
    pub cert_file: String,
    /// The key of that certificate.
    pub key_file: String,
    /// The authorities to trust.
    pub ca_file: String,
    /// Trusts every server.
    pub insecure_skip_tls_verify: bool,
    /// Gives name and password to every host that charts come from.
    pub pass_credentials_all: bool,
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Repository { name, url, username, .. } = self;
        f.debug_struct("Repository")
            .field("name", name)
            .field("url", &crate::net::redacted(url))
            .field("username", username)
            .finish_non_exhaustive()
    }
}

impl Repository {
    /// A repository at a URL, for everyone.
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Repository {
        Repository { name: name.into(), url: url.into(), ..Repository::default() }
    }

    /// Whom to trust, and with what to identify.
    pub fn tls(&self) -> Tls {
        Tls {
            cert_file: self.cert_file.clone(),
            key_file: self.key_file.clone(),
            ca_file: self.ca_file.clone(),
            insecure: self.insecure_skip_tls_verify,
        }
    }

    /// Name and password; none unless both are given.
    pub fn credentials(&self, source: &str) -> Option<Credentials> {
        if self.username.is_empty() || self.password.is_empty() {
            return None;
        }
        Some(Credentials {
            username: self.username.clone(),
            password: self.password.clone(),
            source: source.to_owned(),
        })
    }

    fn from_map(map: &Map) -> Repository {
        let text = |name: &str| text(map, name);
        Repository {
            name: text("name"),
            url: text("url"),
            username: text("username"),
            password: text("password"),
            cert_file: text("certFile"),
            key_file: text("keyFile"),
            ca_file: text("caFile"),
            insecure_skip_tls_verify: truth(map, "insecure_skip_tls_verify"),
            pass_credentials_all: truth(map, "pass_credentials_all"),
        }
    }

    fn to_value(&self) -> Value {
        let texts = [
            ("name", &self.name),
            ("url", &self.url),
            ("username", &self.username),
            ("password", &self.password),
            ("certFile", &self.cert_file),
            ("keyFile", &self.key_file),
            ("caFile", &self.ca_file),
        ];
        let switches = [
            ("insecure_skip_tls_verify", self.insecure_skip_tls_verify),
            ("pass_credentials_all", self.pass_credentials_all),
        ];
        let texts = texts.into_iter().map(|(n, text)| (n.into(), Value::from(text.as_str())));
        let switches = switches.into_iter().map(|(n, on)| (n.into(), Value::Bool(on)));
        Map::from_entries(texts.chain(switches)).into()
    }
}

fn field(map: &Map, name: &str) -> Option<Value> {
    map.get(name.as_bytes()).or_else(|| {
        // Go's JSON decoder takes any case where the exact name is missing.
        let entries = map.entries();
        let same = |key: &[u8]| key.eq_ignore_ascii_case(name.as_bytes());
        entries.iter().find(|(key, _)| same(key.as_bytes())).map(|(_, value)| value.clone())
    })
}

fn text(map: &Map, name: &str) -> String {
    match field(map, name) {
        Some(Value::Str(text)) => text.to_string_lossy().into_owned(),
        // A number or a truth value where a text is wanted, as in `password: 1234`.
        Some(value @ (Value::Bool(_) | Value::Float(_) | Value::Int(..))) => {
            let mut out = Vec::new();
            let options = bowsprit_value::json::Options::default();
            match bowsprit_value::json::encode(&value, &options, &mut out, &Meter::default()) {
                Ok(()) => String::from_utf8_lossy(&out).into_owned(),
                Err(_) => String::new(),
            }
        }
        _ => String::new(),
    }
}

fn truth(map: &Map, name: &str) -> bool {
    matches!(field(map, name), Some(Value::Bool(true)))
}

/// `repositories.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepositoryFile {
    /// Empty, unless some other program wrote `v1`.
    pub api_version: String,
    /// When some other program wrote it; empty for never.
    pub generated: String,
    /// In the order in which they were added.
    pub repositories: Vec<Repository>,
}

impl RepositoryFile {
    /// Reads the file; none where there is none.
    ///
    /// # Errors
    ///
    /// For a file that can't be read or is no YAML.
    pub fn load(path: &Path) -> Result<Option<RepositoryFile>, Error> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let error = PathError::new("open", path, error);
                let text = format!("couldn't load repositories file ({}): {error}", path.display());
                return Err(Error::Other(text));
            }
        };
        RepositoryFile::parse(&text).map(Some)
    }

    /// Reads the text of such a file.
    ///
    /// # Errors
    ///
    /// For a text that is no YAML.
    pub fn parse(text: &[u8]) -> Result<RepositoryFile, Error> {
        let value = bowsprit_yaml::decode(text).map_err(|e| Error::Other(e.to_string()))?;
        let Some(map) = value.as_map() else {
            if value.is_nil() {
                return Ok(RepositoryFile::default());
            }
            return Err(Error::Other("repositories file is not a mapping".to_owned()));
        };
        let list = field(map, "repositories");
        let list = list.as_ref().and_then(Value::as_list);
        Ok(RepositoryFile {
            api_version: self::text(map, "apiVersion"),
            generated: self::text(map, "generated"),
            repositories: list
                .into_iter()
                .flat_map(List::iter)
                .filter_map(Value::as_map)
                .map(Repository::from_map)
                .collect(),
        })
    }

    /// The repository of a name.
    pub fn get(&self, name: &str) -> Option<&Repository> {
        self.repositories.iter().find(|repository| repository.name == name)
    }

    /// Puts a repository in the place of the one of its name, or last.
    pub fn update(&mut self, repository: Repository) {
        match self.repositories.iter_mut().find(|known| known.name == repository.name) {
            Some(known) => *known = repository,
            None => self.repositories.push(repository),
        }
    }

    /// Takes a repository out; false where there is none of that name.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.repositories.len();
        self.repositories.retain(|repository| repository.name != name);
        self.repositories.len() < before
    }

    /// The text of the file, as Helm writes it.
    pub fn to_yaml(&self) -> Vec<u8> {
        let generated = match self.generated.as_str() {
            "" => "0001-01-01T00:00:00Z",
            generated => generated,
        };
        let list: Vec<Value> = self.repositories.iter().map(Repository::to_value).collect();
        let map: Value = Map::from_entries([
            ("apiVersion".into(), Value::from(self.api_version.as_str())),
            ("generated".into(), Value::from(generated)),
            ("repositories".into(), Value::list(list)),
        ])
        .into();
        let mut out = Vec::new();
        // Texts and truth values can always be written.
        let _ = bowsprit_yaml::encode(&map, &mut out, &Meter::default());
        out
    }

    /// Writes the file for its owner's eyes only.
    ///
    /// # Errors
    ///
    /// Where the system refuses.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        Ok(sink::write_atomically(path, &self.to_yaml(), 0o600)?)
    }
}

/// Keeps other processes, Helm's too, from changing `repositories.yaml` until it is dropped.
#[derive(Debug)]
pub struct RepositoryLock {
    _file: File,
}

impl RepositoryLock {
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Takes the lock that stands beside the file.
    ///
    /// # Errors
    ///
    /// Where it can't be had within 30 seconds.
    pub async fn take(repository_config: &Path) -> Result<RepositoryLock, Error> {
        let path = match repository_config.extension() {
            Some(_) => repository_config.with_extension("lock"),
            None => {
                let mut name = repository_config.as_os_str().to_owned();
                name.push(".lock");
                name.into()
            }
        };
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir).map_err(|error| PathError::new("mkdir", dir, error))?;
        }
        let opened = File::options().create(true).truncate(false).write(true).open(&path);
        let file = opened.map_err(|error| PathError::new("open", &path, error))?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(RepositoryLock { _file: file }),
                Err(std::fs::TryLockError::Error(error)) => {
                    return Err(PathError::new("lock", &path, error).into());
                }
                Err(std::fs::TryLockError::WouldBlock) => {}
            }
            if started.elapsed() > RepositoryLock::PATIENCE {
                let text = format!("{}: another process holds the lock", path.display());
                return Err(Error::Other(text));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_as_helm_writes_them() {
        let mut file = RepositoryFile::default();
        file.update(Repository::new("loc", "http://127.0.0.1:8899"));
        let want = "apiVersion: \"\"\ngenerated: \"0001-01-01T00:00:00Z\"\nrepositories:\n- caFile: \"\"\n  \
                    certFile: \"\"\n  insecure_skip_tls_verify: false\n  keyFile: \"\"\n  name: loc\n  \
                    pass_credentials_all: false\n  password: \"\"\n  url: http://127.0.0.1:8899\n  \
                    username: \"\"\n";
        assert_eq!(String::from_utf8(file.to_yaml()).unwrap(), want);
        assert_eq!(RepositoryFile::parse(want.as_bytes()).unwrap().repositories, file.repositories);
        assert!(file.remove("loc") && !file.remove("loc"));
        let empty = "apiVersion: \"\"\ngenerated: \"0001-01-01T00:00:00Z\"\nrepositories: []\n";
        assert_eq!(String::from_utf8(file.to_yaml()).unwrap(), empty);
    }

    #[test]
    fn scalars_become_texts() {
        let text = b"repositories:\n- name: a\n  URL: http://x\n  password: 1234\n- null\n";
        let file = RepositoryFile::parse(text).unwrap();
        let repository = file.get("a").unwrap();
        assert_eq!((repository.url.as_str(), repository.password.as_str()), ("http://x", "1234"));
        assert_eq!(file.repositories.len(), 1);
        assert!(!format!("{repository:?}").contains("1234"));
    }
}
