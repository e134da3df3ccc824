//! What Helm logs while it makes values; returned, never printed.

use bowsprit_chart::{Level, LogLine};
use bowsprit_value::Str;

/// A dotted path below a chart's name, by number. Only what is logged ever becomes text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path(u32);

/// Collects log lines and the paths that they name.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) lines: Vec<LogLine>,
    paths: Vec<(Path, Str)>,
}

impl Path {
    pub(crate) const EMPTY: Path = Path(u32::MAX);
}

impl Log {
    pub(crate) fn info(&mut self, message: String) {
        self.lines.push(LogLine { level: Level::Info, message, attrs: Vec::new() });
    }

    pub(crate) fn path(&mut self, parent: Path, name: &Str) -> Path {
        let id = u32::try_from(self.paths.len()).unwrap_or(u32::MAX);
        if id == u32::MAX {
            return parent;
        }
        self.paths.push((parent, name.clone()));
        Path(id)
    }

    /// The path's text with one more name.
    pub(crate) fn text(&self, path: Path, name: &Str) -> String {
        let mut names = vec![name.to_string_lossy()];
        let mut at = path;
        while let Some((parent, name)) = self.paths.get(at.0 as usize) {
            names.push(name.to_string_lossy());
            at = *parent;
        }
        names.reverse();
        // Helm leaves the dot out only where the prefix is empty.
        let mut text = String::new();
        for name in names {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&name);
        }
        text
    }

    /// Forgets the paths, which only one run of coalescing needs.
    pub(crate) fn forget_paths(&mut self) {
        self.paths.clear();
    }
}
