use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;

/// A folder with a golden case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The path of the folder below `fixtures/golden`, with `/`.
    pub name: String,
    /// The folder itself.
    pub folder: PathBuf,
    /// What to run.
    pub command: Command,
    /// The bytes for standard input; none means an empty input.
    pub stdin: Vec<u8>,
}

/// The command of a case, read from its file `case`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// The arguments after the program's name.
    pub args: Vec<String>,
    /// Environment variables to set beside the clean ones.
    pub env: Vec<(String, String)>,
    /// How often to run it over the same output folder; the last run is the one that counts.
    pub runs: usize,
    /// The release of Helm that the case is about, as `--helm-compat` takes it; none for the newest.
    pub compat: Option<String>,
}

/// Every case below `golden`, sorted by name.
///
/// # Errors
/// When a folder can't be read, holds a file that belongs to no case, or when a `case` is malformed.
pub fn cases(golden: &Path) -> Result<Vec<Case>, Error> {
    let mut found = Vec::new();
    let mut folders = vec![golden.to_path_buf()];
    while let Some(folder) = folders.pop() {
        if folder.join("case").is_file() {
            found.push(read_case(golden, &folder)?);
            continue;
        }
        for entry in fs::read_dir(&folder).map_err(|e| Error::at(&folder, e))? {
            let path = entry.map_err(|e| Error::at(&folder, e))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_none_or(|name| name != "README.md") {
                return Err(Error::at(&path, "belongs to no case: its folder has no file `case`"));
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn read_case(golden: &Path, folder: &Path) -> Result<Case, Error> {
    let path = folder.join("case");
    let text = fs::read_to_string(&path).map_err(|e| Error::at(&path, e))?;
    let name = folder.strip_prefix(golden).unwrap_or(folder).to_string_lossy().replace('\\', "/");
    let command = Command::parse(&text).map_err(|e| Error::at(&path, e))?;
    let stdin = fs::read(folder.join("stdin")).unwrap_or_default();
    Ok(Case { name, folder: folder.to_path_buf(), command, stdin })
}

impl Command {
    /// Reads the text of a `case` file.
    ///
    /// # Errors
    /// On an unknown key, a line that is no `key: value`, or when `args` is missing.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut command = Self { runs: 1, ..Self::default() };
        let mut has_args = false;
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (key, value) = line
                .split_once(':')
                .ok_or_else(|| Error::new(format!("`{line}` is not `key: value`")))?;
            match key {
                "args" => {
                    command.args.extend(words(value)?);
                    has_args = true;
                }
                "env" => command.env.push(variable(value.trim())?),
                "compat" => command.compat = Some(value.trim().to_string()),
                "runs" => command.runs = count(value.trim())?,
                _ => return Err(Error::new(format!("unknown key `{key}`"))),
            }
        }
        if has_args { Ok(command) } else { Err(Error::new("has no `args`")) }
    }
}

fn variable(text: &str) -> Result<(String, String), Error> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| Error::new(format!("`{text}` is not NAME=value")))?;
    Ok((name.to_string(), value.to_string()))
}

fn count(text: &str) -> Result<usize, Error> {
    match text.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(Error::new(format!("runs: `{text}` is not a positive number"))),
    }
}

/// Splits at blanks. Single and double quotes keep blanks and the other quote; nothing escapes.
fn words(text: &str) -> Result<Vec<String>, Error> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' | '"' => {
                let inside = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some(end) if end == c => break,
                        Some(other) => inside.push(other),
                        None => return Err(Error::new(format!("the {c} is not closed"))),
                    }
                }
            }
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_and_quoted() {
        let text = r#" a  'b c' d="x 'y'"z '' "" "#;
        assert_eq!(words(text).unwrap(), ["a", "b c", "d=x 'y'z", "", ""]);
        assert_eq!(words("a 'b").unwrap_err().to_string(), "the ' is not closed");
    }

    #[test]
    fn args_may_span_lines() {
        let text = "args: template x\nargs: --debug\nruns: 2\ncompat: 3.22\n";
        let command = Command::parse(text).unwrap();
        assert_eq!(command.args, ["template", "x", "--debug"]);
        assert_eq!(command.compat.as_deref(), Some("3.22"));
        assert_eq!(command.runs, 2);
    }

    #[test]
    fn malformed_cases_are_refused() {
        for (text, error) in [
            ("", "has no `args`"),
            ("args x", "`args x` is not `key: value`"),
            ("arg: x", "unknown key `arg`"),
            ("args: x\nenv: A", "`A` is not NAME=value"),
            ("args: x\nruns: 0", "runs: `0` is not a positive number"),
        ] {
            assert_eq!(Command::parse(text).unwrap_err().to_string(), error);
        }
    }
}
