//! `.helmignore`: which files of a chart's directory are not part of the chart.
//!
//! The rules look like git's but are not. Negation is famously broken in Helm: `!pattern` ignores
//! whatever the pattern does not match. Charts in the wild depend on it, so it stays.

use crate::glob::filepath_match;
use crate::log::{Level, LogLine};
use crate::path;
use bowsprit_value::unicode;
use std::fmt;

/// The file's name.
pub const HELM_IGNORE: &str = ".helmignore";

/// Go's `bufio.Scanner` gives up on a line that does not fit its buffer.
const MAX_LINE: usize = 64 << 10;

/// Why a `.helmignore` is refused; `Display` is Helm's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IgnoreError {
    /// A rule contains `**`.
    DoubleStar,
    /// A rule is no valid pattern.
    BadPattern,
    /// A line is too long.
    TooLong,
}

impl fmt::Display for IgnoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IgnoreError::DoubleStar => "double-star (**) syntax is not supported",
            IgnoreError::BadPattern => "syntax error in pattern",
            IgnoreError::TooLong => "bufio.Scanner: token too long",
        })
    }
}

impl std::error::Error for IgnoreError {}

#[derive(Clone, Debug)]
struct Rule {
    pattern: Vec<u8>,
    shape: Shape,
    negated: bool,
    only_dirs: bool,
    /// Matched against the path from the chart's root, otherwise against the last element.
    anchored: bool,
}

/// What nearly all patterns look like can be told without running them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Only what is the same matches.
    Literal,
    /// A star, and nothing special behind it.
    Suffix,
    /// Stars and question marks behind that many bytes that are as they are.
    Prefix(usize),
    Other,
}

impl Shape {
    fn of(pattern: &[u8]) -> Shape {
        let special = |b: &u8| matches!(b, b'*' | b'?' | b'[' | b'\\');
        match pattern {
            pattern if !pattern.iter().any(special) => Shape::Literal,
            [b'*', rest @ ..] if !rest.iter().any(special) => Shape::Suffix,
            pattern if pattern.iter().any(|b| matches!(b, b'[' | b'\\')) => Shape::Other,
            pattern => Shape::Prefix(pattern.iter().take_while(|b| !special(b)).count()),
        }
    }
}

impl Rule {
    fn new(pattern: &[u8], negated: bool, only_dirs: bool, anchored: bool) -> Rule {
        let shape = Shape::of(pattern);
        Rule { pattern: pattern.to_vec(), shape, negated, only_dirs, anchored }
    }

    /// Looks at a path, and at its last element.
    fn matches(&self, path: &[u8], base: &[u8], log: &mut Vec<LogLine>) -> bool {
        let name = if self.anchored { path } else { base };
        match self.shape {
            Shape::Literal => name == self.pattern,
            Shape::Suffix => {
                let suffix = self.pattern.get(1..).unwrap_or_default();
                name.strip_suffix(suffix).is_some_and(|swallowed| !swallowed.contains(&b'/'))
            }
            Shape::Prefix(len)
                if !name.starts_with(self.pattern.get(..len).unwrap_or_default()) =>
            {
                false
            }
            Shape::Prefix(_) | Shape::Other => {
                filepath_match(&self.pattern, name).unwrap_or_else(|_| {
                    log.push(self.complaint());
                    false
                })
            }
        }
    }

    /// Cutting off the last slash can leave a pattern that ends in a backslash.
    #[cold]
    fn complaint(&self) -> LogLine {
        let pattern = String::from_utf8_lossy(&self.pattern).into_owned();
        LogLine {
            level: Level::Error,
            message: "failed to compile".into(),
            attrs: vec![("rule", pattern), ("error", IgnoreError::BadPattern.to_string())],
        }
    }
}

/// The rules of a `.helmignore`, in its order.
///
/// ```
/// use bowsprit_chart::Rules;
///
/// let rules = Rules::parse(b"# comments\n*.bak\n/ci/\n")?.with_defaults();
/// let mut log = Vec::new();
/// assert!(rules.ignores(b"templates/old.bak", false, &mut log));
/// assert!(rules.ignores(b"ci", true, &mut log));
/// assert!(rules.ignores(b"templates/.swp", false, &mut log));
/// assert!(!rules.ignores(b"values.yaml", false, &mut log));
/// # Ok::<(), bowsprit_chart::IgnoreError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Reads a `.helmignore`.
    ///
    /// # Errors
    /// The first line that Helm refuses.
    pub fn parse(text: &[u8]) -> Result<Rules, IgnoreError> {
        let mut rules = Rules::default();
        for (index, line) in text.split(|&b| b == b'\n').enumerate() {
            if line.len() >= MAX_LINE {
                return Err(IgnoreError::TooLong);
            }
            let unmarked = line.strip_prefix(b"\xef\xbb\xbf").filter(|_| index == 0);
            rules.add(unmarked.unwrap_or(line))?;
        }
        Ok(rules)
    }

    /// Adds the rule that every chart has: dot files right in `templates/` are ignored.
    #[must_use]
    pub fn with_defaults(mut self) -> Rules {
        self.0.push(Rule::new(b"templates/.?*", false, false, true));
        self
    }

    fn add(&mut self, line: &[u8]) -> Result<(), IgnoreError> {
        let line = trim_space(line);
        if line.is_empty() || line.starts_with(b"#") {
            return Ok(());
        }
        if line.windows(2).any(|pair| pair == b"**") {
            return Err(IgnoreError::DoubleStar);
        }
        filepath_match(line, b"abc").map_err(|_| IgnoreError::BadPattern)?;
        let (negated, line) = strip(line.strip_prefix(b"!"), line);
        let (only_dirs, line) = strip(line.strip_suffix(b"/"), line);
        let (rooted, pattern) = strip(line.strip_prefix(b"/"), line);
        let anchored = rooted || pattern.contains(&b'/');
        self.0.push(Rule::new(pattern, negated, only_dirs, anchored));
        Ok(())
    }

    /// Whether a path is left out of the chart: separated by `/`, from the chart's root.
    ///
    /// A directory that is ignored is left out with all below it. Complaints about rules go to `log`.
    pub fn ignores(&self, path: &[u8], is_dir: bool, log: &mut Vec<LogLine>) -> bool {
        if matches!(path, b"" | b"." | b"./") {
            return false;
        }
        let base = path::base(path);
        self.0.iter().any(|rule| {
            if rule.only_dirs && !is_dir {
                return rule.negated;
            }
            rule.matches(path, base, log) != rule.negated
        })
    }
}

fn strip<'a>(stripped: Option<&'a [u8]>, whole: &'a [u8]) -> (bool, &'a [u8]) {
    (stripped.is_some(), stripped.unwrap_or(whole))
}

/// `strings.TrimSpace` on bytes.
pub(crate) fn trim_space(mut text: &[u8]) -> &[u8] {
    loop {
        let (first, width) = unicode::decode_rune(text);
        if width == 0 || !unicode::is_space(first) {
            break;
        }
        text = text.get(width..).unwrap_or_default();
    }
    loop {
        let (last, width) = unicode::decode_last_rune(text);
        if width == 0 || !unicode::is_space(last) {
            return text;
        }
        text = text.get(..text.len() - width).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignores(rules: &str, path: &str, is_dir: bool) -> bool {
        Rules::parse(rules.as_bytes()).unwrap().ignores(path.as_bytes(), is_dir, &mut Vec::new())
    }

    #[test]
    fn each_form_of_rule() {
        for (rules, path, is_dir, want) in [
            ("", "a", false, false),
            ("# a\n  #a\n\n \t\n", "a", false, false),
            ("\u{feff}a", "a", false, true),
            ("a\r\nb\r\n", "a", false, true),
            ("  a\u{a0}", "a", false, true),
            ("README.md # c", "README.md", false, false),
            ("\\#a", "#a", false, true),
            ("a/", "a", true, true),
            ("a/", "a", false, false),
            ("a/", "x/a", true, true),
            ("/a", "a", false, true),
            ("/a", "x/a", false, false),
            ("/a*", "a/b", false, false),
            ("/x/a", "x/a", false, true),
            ("x/a", "x/a", false, true),
            ("x/a", "y/x/a", false, false),
            ("x/*", "x/a/b", false, false),
            ("*/a", "x/a", false, true),
            ("*/a", "y/x/a", false, false),
            ("/*.txt", "x/a.txt", false, false),
            ("*.txt", ".txt", false, true),
            ("\\*.txt", "a.txt", false, false),
            ("*.txt", "x/y/a.txt", false, true),
            ("a?c", "abc", false, true),
            ("[a-c]x", "bx", false, true),
            ("[^a]x", "bx", false, true),
            ("[^a]x", "ax", false, false),
            ("!a", "a", false, false),
            ("!a", "b", false, true),
            ("!a/", "a", false, true),
            ("!a/", "a", true, false),
            ("!a/", "b", true, true),
            ("b\n!a", "b", false, true),
            ("!*.md\n*.md", "a.md", false, true),
            ("/", "a", true, false),
            ("*", "", false, false),
            ("*", ".", false, false),
        ] {
            assert_eq!(ignores(rules, path, is_dir), want, "{rules:?} {path} {is_dir}");
        }
    }

    #[test]
    fn the_default_rule_is_shallow() {
        let rules = Rules::default().with_defaults();
        let ignores = |path: &[u8]| rules.ignores(path, false, &mut Vec::new());
        assert!(ignores(b"templates/.hidden.yaml"));
        assert!(!ignores(b"templates/."));
        assert!(!ignores(b"templates/sub/.hidden.yaml"));
        assert!(!ignores(b"charts/s/templates/.hidden.yaml"));
    }

    #[test]
    fn refused_rules() {
        for (text, want) in [
            ("a/**/b", IgnoreError::DoubleStar),
            ("ok\n[a", IgnoreError::BadPattern),
            ("a\\", IgnoreError::BadPattern),
            ("[a\n**", IgnoreError::BadPattern),
        ] {
            assert_eq!(Rules::parse(text.as_bytes()).err(), Some(want), "{text}");
        }
        let long = vec![b'a'; MAX_LINE];
        assert_eq!(Rules::parse(&long).err(), Some(IgnoreError::TooLong));
        assert!(Rules::parse(&long[1..]).is_ok());
    }

    #[test]
    fn a_pattern_broken_by_its_slash_complains_and_matches_nothing() {
        let rules = Rules::parse(b"a\\/").unwrap();
        let mut log = Vec::new();
        assert!(!rules.ignores(b"a", true, &mut log));
        assert_eq!(
            log.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [r#"level=ERROR msg="failed to compile" rule=a\ error="syntax error in pattern""#]
        );
    }
}
