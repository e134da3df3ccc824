//! Helm 4's plugins, as far as renders need them: post-renderers that are programs.

use bowsprit_value::{Map, Value};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The type of plugin that a post-renderer is.
const TYPE: &str = "postrenderer/v1";

/// A post-renderer that is installed.
#[derive(Clone, Debug)]
pub struct PostRenderer {
    name: String,
    dir: PathBuf,
    /// The program and its first arguments, variables not filled in.
    command: Vec<String>,
}

/// Finds a post-renderer by its name among the plugins in a folder.
///
/// # Errors
///
/// Fails with Helm's words where there is none of this name, and where it is no program for this machine.
pub fn find_post_renderer(plugins: Option<&Path>, name: &str) -> Result<PostRenderer, String> {
    let folders = plugins.and_then(|dir| std::fs::read_dir(dir).ok());
    let mut folders: Vec<PathBuf> =
        folders.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    folders.sort();
    for dir in folders {
        let Ok(text) = std::fs::read(dir.join("plugin.yaml")) else { continue };
        let Ok(Value::Map(plugin)) = bowsprit_yaml::decode(&text) else { continue };
        let string = |key: &str| text_of(&plugin, key);
        if string("name") != name || string("type") != TYPE {
            continue;
        }
        let runtime = string("runtime");
        if runtime != "subprocess" {
            return Err(format!(
                "plugin {name:?} has the runtime {runtime:?}; only post-renderers that are programs \
                 (\"subprocess\") can be run"
            ));
        }
        let command = command(&plugin).ok_or("no plugin command is applicable")?;
        return Ok(PostRenderer { name: name.to_owned(), dir, command });
    }
    Err(format!("plugin: {{Name:{name} Type:{TYPE}}} not found"))
}

fn text_of(map: &Map, key: &str) -> String {
    let value = map.get(key.as_bytes());
    value.and_then(|value| value.as_str().map(|text| text.to_string())).unwrap_or_default()
}

fn items(map: &Map, key: &str) -> Vec<Value> {
    let value = map.get(key.as_bytes());
    value
        .as_ref()
        .and_then(Value::as_list)
        .map(|list| list.iter().cloned().collect())
        .unwrap_or_default()
}

/// The command for this machine: that of its system and processor, of its system, or of any.
fn command(plugin: &Map) -> Option<Vec<String>> {
    let config = plugin.get(b"runtimeConfig")?;
    let commands = items(config.as_map()?, "platformCommand");
    let commands: Vec<Map> = commands.iter().filter_map(Value::as_map).cloned().collect();
    let fits = |command: &&Map, os: &str, arch: &str| {
        let given = [text_of(command, "os"), text_of(command, "arch")];
        given[0].eq_ignore_ascii_case(os) && given[1].eq_ignore_ascii_case(arch)
    };
    let (os, arch) = platform();
    let found = [(os, arch), (os, ""), ("", "")]
        .into_iter()
        .find_map(|(os, arch)| commands.iter().find(|command| fits(command, os, arch)))?;
    let mut words: Vec<String> = text_of(found, "command").split(' ').map(str::to_owned).collect();
    let args = items(found, "args");
    words.extend(args.iter().filter_map(|arg| arg.as_str().map(|text| text.to_string())));
    words.first().is_some_and(|program| !program.is_empty()).then_some(words)
}

/// System and processor in Go's words.
fn platform() -> (&'static str, &'static str) {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    (os, arch)
}

impl PostRenderer {
    /// Runs the plugin on a stream of manifests. What it says on standard error goes where this process'
    /// own goes.
    ///
    /// # Errors
    ///
    /// Fails with Helm's words where the plugin can't be started, fails, or prints nothing.
    pub fn run(&self, stream: &[u8], args: &[String]) -> Result<Vec<u8>, String> {
        let name = &self.name;
        let failed =
            |text: String| format!("failed to invoke post-renderer plugin {name:?}: {text}");
        let variables = self.variables();
        let words: Vec<String> =
            self.command.iter().map(|word| expanded(word, &variables)).collect();
        let [program, first @ ..] = words.as_slice() else {
            return Err(failed("no plugin command is applicable".to_owned()));
        };
        let mut child = Command::new(program)
            .args(first)
            .args(args)
            .envs(&variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| failed(format!("{program}: {e}")))?;
        let stdin = child.stdin.take();
        // Who prints while it reads must not wait for one that prints while nobody reads.
        let output = std::thread::scope(|scope| {
            scope.spawn(|| {
                if let Some(mut stdin) = stdin {
                    // A plugin may know enough before it has read all.
                    let _ = stdin.write_all(stream);
                }
            });
            child.wait_with_output()
        });
        let output = output.map_err(|e| failed(e.to_string()))?;
        if !output.status.success() {
            return Err(failed(format!("plugin {name:?} exited with error")));
        }
        if output.stdout.trim_ascii().is_empty() {
            return Err(format!("post-renderer {name:?} produced empty output"));
        }
        Ok(output.stdout)
    }

    fn variables(&self) -> BTreeMap<String, String> {
        let dir = self.dir.to_string_lossy().into_owned();
        [("HELM_PLUGIN_NAME", self.name.clone()), ("HELM_PLUGIN_DIR", dir)]
            .map(|(key, value)| (key.to_owned(), value))
            .into()
    }
}

/// A word with `$NAME` and `${NAME}` filled in.
fn expanded(word: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (name, behind) = braced.unwrap_or_else(|| {
            let end = after.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
            after.split_at(end.unwrap_or(after.len()))
        });
        let value = variables.get(name).cloned();
        let value = value
            .or_else(|| Some(name).filter(|n| !n.is_empty()).and_then(|n| std::env::var(n).ok()));
        out.push_str(&value.unwrap_or_default());
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in() {
        let variables = BTreeMap::from([("A_1".to_owned(), "x".to_owned())]);
        for (word, want) in
            [("$A_1/b", "x/b"), ("${A_1}b", "xb"), ("a$", "a"), ("$-c", "-c"), ("plain", "plain")]
        {
            assert_eq!(expanded(word, &variables), want, "{word}");
        }
    }
}
