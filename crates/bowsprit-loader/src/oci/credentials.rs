//! Credentials for registries: Helm's own file, Docker's, and the helpers that both name.

use crate::io::PathError;
use crate::net::{Credentials, sink};
use crate::paths::HelmPaths;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// How long a helper may think.
const HELPER_TIMEOUT: Duration = Duration::from_secs(30);

/// Finds and keeps credentials for registries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialStore {
    helm: PathBuf,
    docker: Option<PathBuf>,
    /// The folders in which helpers are, as in `PATH`.
    search: Vec<PathBuf>,
}

/// What was found, and what went wrong on the way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) credentials: Option<Credentials>,
    /// Helpers that failed. That is no reason not to ask without credentials.
    pub(crate) troubles: Vec<String>,
}

impl CredentialStore {
    /// A store in Helm's files. `search` is the value of `PATH`, in which helpers are looked for.
    pub fn new(paths: &HelmPaths, search: Option<&std::ffi::OsStr>) -> CredentialStore {
        CredentialStore {
            helm: paths.registry_config.clone(),
            docker: paths.docker_config.clone(),
            search: search.map(|path| std::env::split_paths(path).collect()).unwrap_or_default(),
        }
    }

    /// Looks for the credentials of a registry.
    pub(crate) async fn find(&self, registry: &str) -> Found {
        let server = server_address(registry);
        let mut found = Found::default();
        for file in std::iter::once(&self.helm).chain(&self.docker) {
            let config = match load(file) {
                Ok(config) => config,
                Err(error) => {
                    found.troubles.push(error);
                    continue;
                }
            };
            let credentials = match self.helper(&config, &server) {
                Some(helper) => self.ask(&helper, &server).await,
                None => stored(&config, &server, file),
            };
            match credentials {
                Ok(Some(credentials)) => {
                    found.credentials = Some(credentials);
                    return found;
                }
                Ok(None) => {}
                Err(error) => found.troubles.push(error),
            }
        }
        found
    }

    /// Keeps the credentials of a registry in Helm's file, or gives them to the helper that it names.
    ///
    /// # Errors
    ///
    /// Where the file or the helper refuses.
    pub async fn keep(&self, registry: &str, credentials: &Credentials) -> Result<(), String> {
        let server = server_address(registry);
        let mut config = load(&self.helm)?;
        if let Some(helper) = self.helper(&config, &server) {
            let Credentials { username, password, .. } = credentials;
            let entry = serde_json::json!({
                "ServerURL": server, "Username": username, "Secret": password,
            });
            self.run(&helper, "store", entry.to_string().as_bytes()).await?;
            return Ok(());
        }
        let pair = format!("{}:{}", credentials.username, credentials.password);
        let entry = serde_json::json!({ "auth": STANDARD.encode(pair) });
        if let Some(auths) = auths_mut(&mut config) {
            auths.insert(server, entry);
        }
        self.save(config)
    }

    /// Forgets the credentials of a registry. There need not be any.
    ///
    /// # Errors
    ///
    /// Where the file or the helper refuses.
    pub async fn forget(&self, registry: &str) -> Result<(), String> {
        let server = server_address(registry);
        let mut config = load(&self.helm)?;
        if let Some(helper) = self.helper(&config, &server) {
            self.run(&helper, "erase", server.as_bytes()).await?;
            return Ok(());
        }
        if auths_mut(&mut config).is_none_or(|auths| auths.remove(&server).is_none()) {
            return Ok(());
        }
        self.save(config)
    }

    fn save(&self, config: Map<String, Value>) -> Result<(), String> {
        let text = pretty(&config);
        let written = sink::write_atomically(&self.helm, text.as_bytes(), 0o600);
        written.map_err(|error| format!("failed to save config file: {error}"))
    }

    /// The helper that knows the credentials of a server, if one does.
    fn helper(&self, config: &Map<String, Value>, server: &str) -> Option<String> {
        let text = |value: Option<&Value>| {
            value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        if let Some(helper) =
            text(config.get("credHelpers").and_then(|helpers| helpers.get(server)))
        {
            return Some(helper);
        }
        if let Some(helper) = text(config.get("credsStore")) {
            return Some(helper);
        }
        let none =
            |name: &str| config.get(name).and_then(Value::as_object).is_none_or(Map::is_empty);
        if !none("auths") || !none("credHelpers") {
            return None;
        }
        let native = if cfg!(target_os = "macos") {
            "osxkeychain"
        } else if cfg!(windows) {
            "wincred"
        } else if self.program("pass").is_some() {
            "pass"
        } else {
            "secretservice"
        };
        self.program(&format!("docker-credential-{native}")).map(|_| native.to_owned())
    }

    fn program(&self, name: &str) -> Option<PathBuf> {
        let name = if cfg!(windows) { format!("{name}.exe") } else { name.to_owned() };
        self.search.iter().map(|dir| dir.join(&name)).find(|path| path.is_file())
    }

    async fn ask(&self, helper: &str, server: &str) -> Result<Option<Credentials>, String> {
        let answer = match self.run(helper, "get", server.as_bytes()).await {
            Ok(answer) => answer,
            Err(error) if error.contains("credentials not found") => return Ok(None),
            Err(error) => return Err(error),
        };
        let answer: Value = serde_json::from_slice(&answer)
            .map_err(|_| format!("credential helper {helper}: the answer is no JSON"))?;
        let text =
            |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (username, password) = (text("Username"), text("Secret"));
        let username = if username == "<token>" { String::new() } else { username };
        let source = format!("credential helper {helper}");
        let given = !(username.is_empty() && password.is_empty());
        Ok(given.then_some(Credentials { username, password, source }))
    }

    async fn run(&self, helper: &str, verb: &str, input: &[u8]) -> Result<Vec<u8>, String> {
        let failed = |why: String| format!("credential helper {helper}: {why}");
        if !helper.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
            return Err(failed("not a name of a program".to_owned()));
        }
        let name = format!("docker-credential-{helper}");
        let Some(program) = self.program(&name) else {
            return Err(failed(format!("{name} is not in PATH")));
        };
        let spawned = Command::new(program)
            .arg(verb)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = spawned.map_err(|error| failed(error.to_string()))?;
        let mut stdin = child.stdin.take();
        let work = async {
            if let Some(mut stdin) = stdin.take() {
                // A helper that does not listen says itself what it dislikes.
                let _ = stdin.write_all(input).await;
            }
            child.wait_with_output().await
        };
        let output = tokio::time::timeout(HELPER_TIMEOUT, work).await;
        let output = output.map_err(|_| failed("no answer within 30 seconds".to_owned()))?;
        let output = output.map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let said = if said.is_empty() { output.status.to_string() } else { said };
        Err(failed(said))
    }
}

/// Docker's hub goes by another name in such files.
fn server_address(registry: &str) -> String {
    match registry {
        "docker.io" | "registry-1.docker.io" => "https://index.docker.io/v1/".to_owned(),
        registry => registry.to_owned(),
    }
}

fn load(file: &Path) -> Result<Map<String, Value>, String> {
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Map::new()),
        Err(error) => return Err(PathError::new("open", file, error).to_string()),
    };
    if text.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(&text)
        .map_err(|error| format!("failed to decode config file {}: {error}", file.display()))
}

fn stored(
    config: &Map<String, Value>,
    server: &str,
    file: &Path,
) -> Result<Option<Credentials>, String> {
    let Some(auths) = config.get("auths").and_then(Value::as_object) else { return Ok(None) };
    // Old files have URLs where newer ones have hosts.
    let entry = auths.get(server).or_else(|| {
        auths.iter().find(|(address, _)| hostname(address) == server).map(|(_, entry)| entry)
    });
    let Some(entry) = entry else { return Ok(None) };
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    let source = file.display().to_string();
    let token = text("identitytoken");
    if !token.is_empty() {
        let password = token.to_owned();
        return Ok(Some(Credentials { username: String::new(), password, source }));
    }
    let (username, password) = match text("auth") {
        "" => (text("username").to_owned(), text("password").to_owned()),
        auth => {
            let decoded =
                STANDARD.decode(auth).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let pair = decoded.as_deref().and_then(|pair| pair.split_once(':'));
            let Some((username, password)) = pair else {
                return Err(format!("{source}: the entry of {server} is not name and password"));
            };
            (username.to_owned(), password.trim_end_matches('\0').to_owned())
        }
    };
    let given = !(username.is_empty() && password.is_empty());
    Ok(given.then_some(Credentials { username, password, source }))
}

fn hostname(address: &str) -> &str {
    let bare = address.split_once("://").map_or(address, |(_, rest)| rest);
    bare.split('/').next().unwrap_or_default()
}

/// The part of a file with names and passwords, which is made if need be.
fn auths_mut(config: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    if !config.get("auths").is_some_and(Value::is_object) {
        config.insert("auths".to_owned(), Value::Object(Map::new()));
    }
    config.get_mut("auths").and_then(Value::as_object_mut)
}

/// Sorted on the first two levels and indented by tabs, as the library that Helm uses writes it.
fn pretty(config: &Map<String, Value>) -> String {
    let sorted = |map: &Map<String, Value>| {
        let mut entries: Vec<_> = map.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        entries.into_iter().collect::<Map<String, Value>>()
    };
    let mut config = sorted(config);
    if let Some(auths) = auths_mut(&mut config) {
        *auths = sorted(auths);
    }
    // Two blanks a level; texts have no line feeds of their own.
    let text = format!("{:#}", Value::Object(config));
    let lines = text.lines().map(|line| {
        let content = line.trim_start_matches(' ');
        "\t".repeat((line.len() - content.len()) / 2) + content
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_and_written_as_helms_library_does() {
        let text = r#"{"x": {"b": 1, "a": 2}, "auths": {"https://h/v1/": {"auth": "dTpw"}, "i": {"identitytoken": "t"}}}"#;
        let config: Map<String, Value> = serde_json::from_str(text).unwrap();
        let found = stored(&config, "h", Path::new("f")).unwrap().unwrap();
        assert_eq!((found.username.as_str(), found.password.as_str()), ("u", "p"));
        assert_eq!(found.to_string(), "user \"u\" from f");
        let token = stored(&config, "i", Path::new("f")).unwrap().unwrap();
        assert_eq!((token.username.as_str(), token.password.as_str()), ("", "t"));
        assert!(stored(&config, "j", Path::new("f")).unwrap().is_none());
        let want = "{\n\t\"auths\": {\n\t\t\"a\": {\n\t\t\t\"auth\": \"dTpw\"\n\t\t}\n\t}\n}";
        let config = serde_json::from_str(r#"{"auths": {"a": {"auth": "dTpw"}}}"#).unwrap();
        assert_eq!(pretty(&config), want);
    }
}
