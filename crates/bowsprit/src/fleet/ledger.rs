//! Promotions in place: the fleet file is edited, the history grows by a line, and both can go back.
//!
//! Beside the fleet file lies the folder `.bowsprit` with `history.jsonl` and, below `before`, the fleet
//! file's text before each change, so that a promotion that is taken back restores the same bytes.

use bowsprit_fleet::FleetFile;
use bowsprit_fleet::digest;
use bowsprit_fleet::promote::{History, Promotion, Record};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The files of promotions beside a fleet file.
#[derive(Debug)]
pub struct Ledger {
    file: PathBuf,
    folder: PathBuf,
}

impl Ledger {
    /// The ledger of the fleet file at a path.
    pub fn of(file: &Path) -> Ledger {
        let folder = file.parent().map(Path::to_owned).unwrap_or_default().join(".bowsprit");
        Ledger { file: file.to_owned(), folder }
    }

    fn history_path(&self) -> PathBuf {
        self.folder.join("history.jsonl")
    }

    /// What was promoted so far.
    ///
    /// # Errors
    ///
    /// Fails where the history can't be read.
    pub fn history(&self) -> Result<History, String> {
        let path = self.history_path();
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                History::parse(&path.display().to_string(), &text).map_err(|e| e.to_string())
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(History::default()),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    /// Carries out a promotion: keeps the old text, writes the new one, and records it.
    ///
    /// # Errors
    ///
    /// Fails where the file can't be edited or written, or was changed by somebody else meanwhile. The
    /// fleet file is then as it was.
    pub fn promote(
        &self,
        promotion: Promotion,
        text: &[u8],
        time: i64,
        user: &str,
        forced: Vec<String>,
    ) -> Result<Record, String> {
        let file = FleetFile::parse(&self.file.display().to_string(), text);
        let file = file.map_err(|e| format!("{e:#}"))?;
        let edited = promotion.edit(&file, text).map_err(|e| e.to_string())?;
        let mut record = Record::new(time, user, promotion, text, &edited);
        record.forced = forced;
        self.keep(text)?;
        self.replace(text, &edited)?;
        self.append(&record)?;
        Ok(record)
    }

    /// Takes the last promotion of a release back.
    ///
    /// Where the fleet file is as the promotion left it, the bytes before are restored; where it was
    /// changed since, only the version, or the ring's place among those that have the release, goes back.
    ///
    /// # Errors
    ///
    /// Fails where there is nothing to take back, or a changed file can't be edited back.
    pub fn undo(&self, release: &str, time: i64, user: &str) -> Result<Record, String> {
        let history = self.history()?;
        let last = history.last(release).ok_or_else(|| {
            format!("no promotion of {release:?} is recorded that could be taken back")
        })?;
        let text =
            std::fs::read(&self.file).map_err(|e| format!("{}: {e}", self.file.display()))?;
        let kept = std::fs::read(self.kept_path(&last.file_before)).ok();
        let edited = match kept {
            Some(kept) if digest(&text) == last.file_after && digest(&kept) == last.file_before => {
                kept
            }
            _ => self.edited_back(&last.promotion, &text)?,
        };
        let mut record = Record::new(time, user, last.promotion.clone(), &text, &edited);
        record.undo = true;
        self.keep(&text)?;
        self.replace(&text, &edited)?;
        self.append(&record)?;
        Ok(record)
    }

    fn edited_back(&self, promotion: &Promotion, text: &[u8]) -> Result<Vec<u8>, String> {
        let file = FleetFile::parse(&self.file.display().to_string(), text);
        let file = file.map_err(|e| format!("{e:#}"))?;
        promotion.edit_back(&file, text).map_err(|e| e.to_string())
    }

    fn kept_path(&self, digest: &str) -> PathBuf {
        self.folder.join("before").join(format!("{digest}.yaml"))
    }

    fn keep(&self, text: &[u8]) -> Result<(), String> {
        let path = self.kept_path(&digest(text));
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        made.and_then(|()| std::fs::write(&path, text))
            .map_err(|e| format!("{}: {e}", path.display()))
    }

    fn replace(&self, old: &[u8], new: &[u8]) -> Result<(), String> {
        let failed = |e: std::io::Error| format!("{}: {e}", self.file.display());
        let beside = self.file.with_extension("yaml.partial");
        std::fs::write(&beside, new).map_err(failed)?;
        if std::fs::read(&self.file).map_err(failed)? != old {
            let _ = std::fs::remove_file(&beside);
            return Err(format!("{} was changed meanwhile; try again", self.file.display()));
        }
        std::fs::rename(&beside, &self.file).map_err(failed)
    }

    fn append(&self, record: &Record) -> Result<(), String> {
        let path = self.history_path();
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(&path);
        let line = format!("{}\n", record.to_line());
        let written = opened.and_then(|mut file| file.write_all(line.as_bytes()));
        written.map_err(|e| format!("{}: {e}", path.display()))
    }
}
