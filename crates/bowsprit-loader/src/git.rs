//! The files of a Git repository at one of its commits, brought by the program `git`.
//!
//! Git's transports, its credential helpers and whatever a user has configured for them are the business
//! of that program. What it may reach is bounded: `https`, `http` and `ssh`, no prompts, no hooks of the
//! repository, and no link in the result leads out of it.

use crate::net::redacted;
use crate::sources::Sources;
use bowsprit_semver::{Constraint, Version};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// How long one call of the program may take.
const TIMEOUT: Duration = Duration::from_secs(300);
/// What source-controller leaves out, before a repository's own `.sourceignore`.
const IGNORED: &str = ".git/\n.gitignore\n.gitmodules\n.gitattributes\n*.jpg\n*.jpeg\n*.gif\n*.png\n*.wmv\n*.flv\n\
                       *.tar.gz\n*.zip\n.github/\n.circleci/\n.travis.yml\n.gitlab-ci.yml\nappveyor.yml\n\
                       .drone.yml\ncloudbuild.yaml\ncodeship-services.yml\ncodeship-steps.yml\n\
                       **/.goreleaser.yml\n**/.sops.yaml\n**/.flux.yaml\n";

/// Which commit of which repository. Of several fields from `branch` to `commit` the later one counts,
/// as in Flux; without one it is the branch `master`.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GitQuery {
    /// Where the repository is: `https`, `http` or `ssh`.
    pub url: String,
    /// A branch.
    pub branch: String,
    /// A tag.
    pub tag: String,
    /// A range of versions: the highest tag in it.
    pub semver: String,
    /// The whole name of a reference, such as `refs/heads/main`.
    pub name: String,
    /// A commit.
    pub commit: String,
    /// A user's name.
    pub username: String,
    /// The user's password.
    pub password: String,
    /// A token that stands for both.
    pub bearer_token: String,
    /// The authorities to trust, in PEM.
    pub ca_file: String,
    /// A private key for SSH.
    pub identity_file: String,
    /// The hosts that SSH knows.
    pub known_hosts_file: String,
    /// More patterns of files that are left out.
    pub ignore: String,
}

impl fmt::Debug for GitQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitQuery")
            .field("url", &redacted(&self.url))
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Why a repository's files can't be had. `Display` says what was tried, and what `git` said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitError(String);

impl fmt::Display for GitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for GitError {}

impl Sources {
    /// Brings the files of a repository into a folder, which is made; gives the commit.
    ///
    /// What source-controller would leave out of an artifact is left out: pictures, archives, what
    /// `.sourceignore` files and `ignore` name.
    ///
    /// # Errors
    ///
    /// Where `git` is not there, or the repository, or the reference.
    pub async fn git(&self, query: &GitQuery, into: &Path) -> Result<String, GitError> {
        let scheme = crate::reference::scheme(&query.url);
        if !matches!(scheme.as_str(), "http" | "https" | "ssh") {
            let url = redacted(&query.url);
            return Err(GitError(format!("{url}: want a URL of https, http or ssh")));
        }
        let program = self.program("git").ok_or_else(|| {
            let url = redacted(&query.url);
            GitError(format!("{url}: the program git, which fetches repositories, is not in PATH"))
        })?;
        let git = Git { program, query, into };
        git.run(&[Arg::Text("init"), Arg::Text("--quiet"), Arg::Text("--template="), Arg::Into])
            .await?;
        let reference = git.reference().await?;
        let fetched = git.fetch(&reference).await?;
        git.run(&["checkout", "--quiet", "--detach", &fetched].map(Arg::Text)).await?;
        let commit = git.run(&["rev-parse", "HEAD"].map(Arg::Text)).await?;
        git.leave_out().await?;
        Ok(commit.trim().to_owned())
    }
}

/// An argument of the program.
#[derive(Clone, Copy, Debug)]
enum Arg<'a> {
    Text(&'a str),
    /// The repository's URL.
    Url,
    /// The folder.
    Into,
}

struct Git<'g> {
    program: PathBuf,
    query: &'g GitQuery,
    into: &'g Path,
}

impl Git<'_> {
    /// The reference to fetch.
    async fn reference(&self) -> Result<String, GitError> {
        let query = self.query;
        if !query.commit.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(self.fail(&format!("{:?} is no commit", query.commit)));
        }
        for name in [&query.commit, &query.name] {
            if !name.is_empty() {
                return Ok(name.clone());
            }
        }
        if !query.semver.is_empty() {
            return self.highest().await;
        }
        Ok(match (query.tag.as_str(), query.branch.as_str()) {
            ("", "") => "refs/heads/master".to_owned(),
            ("", branch) => format!("refs/heads/{branch}"),
            (tag, _) => format!("refs/tags/{tag}"),
        })
    }

    /// The tag with the highest version in the range.
    async fn highest(&self) -> Result<String, GitError> {
        let wanted = &self.query.semver;
        let range = Constraint::parse(wanted)
            .map_err(|error| self.fail(&format!("semver parse error: {error}")))?;
        let listed = [Arg::Text("ls-remote"), Arg::Text("--tags"), Arg::Text("--"), Arg::Url];
        let listed = self.run(&listed).await?;
        let mut best: Option<(Version, &str)> = None;
        for line in listed.lines() {
            let Some((_, name)) = line.split_once("refs/tags/") else { continue };
            let name = name.strip_suffix("^{}").unwrap_or(name);
            let Ok(version) = Version::parse(name) else { continue };
            let higher = best.as_ref().is_none_or(|(highest, _)| version.greater_than(highest));
            if range.check(&version) && higher {
                best = Some((version, name));
            }
        }
        let missing = || self.fail(&format!("no match found for semver: {wanted}"));
        best.map(|(_, tag)| format!("refs/tags/{tag}")).ok_or_else(missing)
    }

    /// Fetches as little as the server allows, and gives the name of what was fetched.
    async fn fetch(&self, reference: &str) -> Result<String, GitError> {
        let fetched = || "FETCH_HEAD".to_owned();
        let error = match self.fetch_at(&["--depth=1"], reference).await {
            Ok(()) => return Ok(fetched()),
            Err(error) => error,
        };
        // A server that knows only files.
        let error = match error.0.contains("shallow") {
            true => match self.fetch_at(&[], reference).await {
                Ok(()) => return Ok(fetched()),
                Err(error) => error,
            },
            false => error,
        };
        // Not every server hands out commits by their names.
        if reference == self.query.commit {
            let branch = match self.query.branch.as_str() {
                "" => "+refs/heads/*:refs/heads/*".to_owned(),
                branch => format!("refs/heads/{branch}"),
            };
            self.fetch_at(&[], &branch).await?;
            return Ok(reference.to_owned());
        }
        Err(error)
    }

    async fn fetch_at(&self, depth: &[&str], reference: &str) -> Result<(), GitError> {
        let mut args = ["fetch", "--quiet", "--no-tags"].map(Arg::Text).to_vec();
        args.extend(depth.iter().copied().map(Arg::Text));
        args.extend([Arg::Text("--"), Arg::Url, Arg::Text(reference)]);
        self.run(&args).await.map(drop)
    }

    /// Takes away what is to be left out, and links that lead out of the folder.
    async fn leave_out(&self) -> Result<(), GitError> {
        let io = |error: std::io::Error| self.fail(&error.to_string());
        let patterns = self.into.join(".git/bowsprit-ignored");
        std::fs::write(&patterns, IGNORED).map_err(io)?;
        let from = format!("--exclude-from={}", patterns.display());
        let each = "--exclude-per-directory=.sourceignore";
        let is_pattern = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
        // Those of the command line count more than those of files.
        let own = self.query.ignore.lines().filter(is_pattern);
        let own: Vec<String> = own.map(|line| format!("--exclude={line}")).collect();
        let mut args = vec!["ls-files", "--cached", "--ignored", "-z", &from, each];
        args.extend(own.iter().map(String::as_str));
        let args: Vec<Arg<'_>> = args.into_iter().map(Arg::Text).collect();
        let listed = self.run(&args).await?;
        for name in listed.split('\0').filter(|name| !name.is_empty()) {
            std::fs::remove_file(self.into.join(name)).map_err(io)?;
        }
        std::fs::remove_dir_all(self.into.join(".git")).map_err(io)?;
        remove_escaping_links(self.into).map_err(io)
    }

    async fn run(&self, args: &[Arg<'_>]) -> Result<String, GitError> {
        let mut command = Command::new(&self.program);
        for arg in args {
            match arg {
                Arg::Text(text) => command.arg(text),
                Arg::Url => command.arg(&self.query.url),
                Arg::Into => command.arg(self.into),
            };
        }
        if self.into.is_dir() {
            command.current_dir(self.into);
        }
        self.environment(&mut command);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let doing = match args.first() {
            Some(Arg::Text(verb)) => *verb,
            _ => "",
        };
        let output = tokio::time::timeout(TIMEOUT, command.output()).await;
        let output =
            output.map_err(|_| self.fail(&format!("git {doing}: no end within 5 minutes")))?;
        let output = output.map_err(|error| self.fail(&format!("git {doing}: {error}")))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().replace(&self.query.url, &redacted(&self.query.url));
        Err(self.fail(&format!("git {doing}: {said}")))
    }

    /// Nothing is asked of a user, and nothing is run that a repository brings.
    fn environment(&self, command: &mut Command) {
        let query = self.query;
        command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        command.env("GIT_ALLOW_PROTOCOL", "http:https:ssh").env("GIT_LFS_SKIP_SMUDGE", "1");
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(name);
        }
        let mut settings: Vec<(String, String)> = vec![
            ("core.hooksPath".to_owned(), "/dev/null".to_owned()),
            ("http.lowSpeedLimit".to_owned(), "1000".to_owned()),
            ("http.lowSpeedTime".to_owned(), "60".to_owned()),
        ];
        if !query.password.is_empty() {
            // The first, empty one forgets those that the user has configured.
            let helper = "!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' \
                          \"$BOWSPRIT_GIT_USER\" \"$BOWSPRIT_GIT_PASSWORD\"; }; f";
            command.env("BOWSPRIT_GIT_USER", &query.username);
            command.env("BOWSPRIT_GIT_PASSWORD", &query.password);
            let key = format!("credential.{}.helper", base(&query.url));
            settings.extend([(key.clone(), String::new()), (key, helper.to_owned())]);
        }
        if !query.bearer_token.is_empty() {
            let key = format!("http.{}.extraHeader", base(&query.url));
            settings.push((key, format!("Authorization: Bearer {}", query.bearer_token)));
        }
        if !query.ca_file.is_empty() {
            settings.push(("http.sslCAInfo".to_owned(), query.ca_file.clone()));
        }
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (index, (key, value)) in settings.into_iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        if !query.identity_file.is_empty() {
            command.env("GIT_SSH_COMMAND", self.ssh());
        }
    }

    fn ssh(&self) -> OsString {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
        let query = self.query;
        let identity = quoted(&query.identity_file);
        let mut ssh = format!("ssh -o BatchMode=yes -o IdentitiesOnly=yes -i {identity}");
        if !query.known_hosts_file.is_empty() {
            let hosts = quoted(&query.known_hosts_file);
            ssh += &format!(" -o UserKnownHostsFile={hosts} -o StrictHostKeyChecking=yes");
        }
        ssh.into()
    }

    fn fail(&self, why: &str) -> GitError {
        GitError(format!("{}: {why}", redacted(&self.query.url)))
    }
}

/// A URL up to its path.
fn base(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let host = rest.split('/').next().unwrap_or(rest);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}")
}

/// Charts follow links; those of a repository that nobody trusts must not lead to other files.
fn remove_escaping_links(root: &Path) -> std::io::Result<()> {
    let root = root.canonicalize()?;
    let mut pending = vec![root.clone()];
    while let Some(dir) = pending.pop() {
        for entry in std::fs::read_dir(&dir)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                pending.push(entry.path());
            } else if kind.is_symlink() {
                let inside = entry.path().canonicalize().is_ok_and(|to| to.starts_with(&root));
                if !inside {
                    std::fs::remove_file(entry.path())?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_for_one_host() {
        assert_eq!(base("https://u:p@git.example/a/b.git"), "https://git.example");
        assert_eq!(base("ssh://git@git.example:22/a"), "ssh://git.example:22");
    }
}
