use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::{Case, Error, diff, same_lines};

/// What a program did with a case; paths are masked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The exit status; -1 when a signal ended the program.
    pub exit: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// The files left in `<OUT>`, by their path in it.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// Streams whose lines Helm prints in an order that differs from run to run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unordered {
    /// Standard output is compared as a set of lines.
    pub stdout: bool,
    /// Standard error is compared as a set of lines.
    pub stderr: bool,
}

/// What Helm did with a case, as recorded in its folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// The version of Helm that was recorded.
    pub helm: String,
    /// The streams that have no order.
    pub unordered: Unordered,
    /// Status, streams and files.
    pub outcome: Outcome,
}

impl Expected {
    /// Reads the recorded files of a case.
    ///
    /// # Errors
    /// When the case was never recorded, or its `status` is malformed.
    pub fn read(case: &Case) -> Result<Self, Error> {
        let path = case.folder.join("status");
        let text = fs::read_to_string(&path)
            .map_err(|e| Error::at(&path, format!("{e} (record it with `just golden`)")))?;
        let mut expected = Self::parse_status(&text).map_err(|e| Error::at(&path, e))?;
        expected.outcome.stdout = fs::read(case.folder.join("stdout")).unwrap_or_default();
        expected.outcome.stderr = fs::read(case.folder.join("stderr")).unwrap_or_default();
        expected.outcome.files = read_files(&case.folder.join("out"))?;
        Ok(expected)
    }

    fn parse_status(text: &str) -> Result<Self, Error> {
        let mut expected = Self::default();
        for line in text.lines() {
            match line.split_once(": ") {
                Some(("exit", exit)) => {
                    expected.outcome.exit = exit
                        .parse()
                        .map_err(|_| Error::new(format!("`{exit}` is no exit status")))?;
                }
                Some(("helm", version)) => expected.helm = version.to_string(),
                Some(("unordered", streams)) => {
                    expected.unordered = Unordered {
                        stdout: streams.contains("stdout"),
                        stderr: streams.contains("stderr"),
                    };
                }
                _ => return Err(Error::new(format!("unknown line `{line}`"))),
            }
        }
        Ok(expected)
    }

    /// Writes the recorded files of a case, replacing older ones.
    ///
    /// # Errors
    /// When a file can't be written or removed.
    pub fn write(&self, case: &Case) -> Result<(), Error> {
        let out = case.folder.join("out");
        if out.exists() {
            fs::remove_dir_all(&out).map_err(|e| Error::at(&out, e))?;
        }
        write_file(&case.folder.join("status"), self.status().as_bytes())?;
        write_unless_empty(&case.folder.join("stdout"), &self.outcome.stdout)?;
        write_unless_empty(&case.folder.join("stderr"), &self.outcome.stderr)?;
        for (name, bytes) in &self.outcome.files {
            write_file(&out.join(name), bytes)?;
        }
        Ok(())
    }

    fn status(&self) -> String {
        let mut text = format!("exit: {}\nhelm: {}\n", self.outcome.exit, self.helm);
        match (self.unordered.stdout, self.unordered.stderr) {
            (false, false) => {}
            (true, false) => text.push_str("unordered: stdout\n"),
            (false, true) => text.push_str("unordered: stderr\n"),
            (true, true) => text.push_str("unordered: stdout stderr\n"),
        }
        text
    }

    /// What differs in `got`, ready to print; `None` when nothing does.
    #[must_use]
    pub fn compare(&self, got: &Outcome) -> Option<String> {
        let want = &self.outcome;
        let mut report = String::new();
        if want.exit != got.exit {
            report.push_str(&format!("exit status: expected {}, got {}\n", want.exit, got.exit));
        }
        let streams = [
            ("stderr", &want.stderr, &got.stderr, self.unordered.stderr),
            ("stdout", &want.stdout, &got.stdout, self.unordered.stdout),
        ];
        for (name, want, got, unordered) in streams {
            if want != got && !(unordered && same_lines(want, got)) {
                report.push_str(&format!("{name}:\n{}", diff(want, got)));
            }
        }
        compare_files(&want.files, &got.files, &mut report);
        (!report.is_empty()).then_some(report)
    }
}

fn compare_files(
    want: &BTreeMap<String, Vec<u8>>,
    got: &BTreeMap<String, Vec<u8>>,
    report: &mut String,
) {
    for (name, want) in want {
        match got.get(name) {
            None => report.push_str(&format!("<OUT>/{name}: not written\n")),
            Some(got) if got != want => {
                report.push_str(&format!("<OUT>/{name}:\n{}", diff(want, got)));
            }
            Some(_) => {}
        }
    }
    for name in got.keys().filter(|name| !want.contains_key(*name)) {
        report.push_str(&format!("<OUT>/{name}: written, but not by Helm\n"));
    }
}

fn write_unless_empty(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if !bytes.is_empty() {
        return write_file(path, bytes);
    }
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::at(path, e)),
        _ => Ok(()),
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|e| Error::at(folder, e))?;
    fs::write(path, bytes).map_err(|e| Error::at(path, e))
}

/// Every file below `root` by its path in it; nothing when there is no such folder.
pub(crate) fn read_files(root: &Path) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.map_err(|e| Error::at(&folder, e))?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap_or(&path);
            let name = name.to_string_lossy().replace('\\', "/");
            files.insert(name, fs::read(&path).map_err(|e| Error::at(&path, e))?);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_survives_a_round_trip() {
        for (stdout, stderr) in [(false, false), (false, true), (true, false), (true, true)] {
            let expected = Expected {
                helm: "4.2.4".into(),
                unordered: Unordered { stdout, stderr },
                outcome: Outcome { exit: 1, ..Outcome::default() },
            };
            assert_eq!(Expected::parse_status(&expected.status()).unwrap(), expected);
        }
    }

    #[test]
    fn every_part_is_compared() {
        let mut want = Outcome { stdout: b"a\nb\n".to_vec(), ..Outcome::default() };
        want.files.insert("x".into(), b"1".to_vec());
        let mut expected = Expected { outcome: want.clone(), ..Expected::default() };
        assert_eq!(expected.compare(&want), None);

        let got = Outcome { exit: 1, stdout: b"b\na\n".to_vec(), ..Outcome::default() };
        let report = expected.compare(&got).unwrap();
        assert!(report.contains("exit status: expected 0, got 1"), "{report}");
        assert!(report.contains("stdout:"), "{report}");
        assert!(report.contains("<OUT>/x: not written"), "{report}");

        expected.unordered.stdout = true;
        assert!(!expected.compare(&got).unwrap().contains("stdout:"));
    }
}
