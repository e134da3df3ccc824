//! Reading a path. What ends a name, and what an error says, is as in yaml-jsonpath.

use super::filter::{Comparison, Filter, Regex, Scalar, Term};
use super::subscript::Subscript;
use super::{Path, PathError, Step};
use bowsprit_sprig::goregex::GoRegex;
use bowsprit_value::{Str, strconv, unicode};
use std::sync::Arc;

/// How deeply conditions may be nested.
const MAX_DEPTH: usize = 100;

const COMPARISONS: [(&str, Comparison); 4] = [
    (">=", Comparison::GreaterOrEqual),
    (">", Comparison::Greater),
    ("<=", Comparison::LessOrEqual),
    ("<", Comparison::Less),
];

pub(super) struct Parser<'t> {
    text: &'t str,
    at: usize,
    /// Where the piece begins that is being read, and the one before it, for errors.
    start: usize,
    before: usize,
    depth: usize,
}

/// Whether the piece before was a condition's string or number, which some operators refuse.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    String,
    Number,
    Other,
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str) -> Parser<'t> {
        Parser { text, at: 0, start: 0, before: 0, depth: 0 }
    }

    pub(super) fn path(mut self) -> Result<Path, PathError> {
        let mut steps = Vec::new();
        if self.rest().is_empty() {
            return Ok(Path { steps });
        }
        let undotted = !self.take("$");
        self.emit();
        self.sub_path(&mut steps, undotted)?;
        match self.rest() {
            "" => Ok(Path { steps }),
            rest if rest.starts_with(')') => Err(self.error("syntax error")),
            rest => {
                let c = rest.chars().next().unwrap_or_default();
                Err(self.error(&format!("invalid character {}", quoted_char(c))))
            }
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn starts(&self, token: &str) -> bool {
        self.rest().starts_with(token)
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.starts(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn next_char(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(unicode::is_space).len();
    }

    /// Where tokens end that stand next, blanks before each left out.
    fn after_spaced(&self, tokens: &[&str]) -> Option<usize> {
        let mut rest = self.rest();
        for token in tokens {
            rest = rest.trim_start_matches(unicode::is_space).strip_prefix(token)?;
        }
        Some(self.text.len() - rest.len())
    }

    fn take_spaced(&mut self, token: &str) -> bool {
        let after = self.after_spaced(&[token]);
        self.at = after.unwrap_or(self.at);
        after.is_some()
    }

    fn emit(&mut self) {
        self.before = self.start;
        self.start = self.at;
    }

    fn error(&self, message: &str) -> PathError {
        let context = self.text.get(self.before..self.at).unwrap_or_default();
        PathError(format!("{message} at position {}, following {}", self.at, quoted(context)))
    }

    /// Steps up to the end, or up to what ends a path inside a condition.
    fn sub_path(&mut self, steps: &mut Vec<Step>, undotted: bool) -> Result<(), PathError> {
        let mut first = undotted;
        loop {
            let bare_name = std::mem::take(&mut first);
            if self.rest().is_empty() || self.starts(")") {
                return Ok(());
            }
            if self.take("..") {
                self.descend(steps)?;
                continue;
            }
            if self.take(".") {
                let name = self.name(".[) &|=!><~");
                if self.named(steps, name)? {
                    continue;
                }
            } else if self.after_spaced(&["[", "'"]).is_some()
                || self.after_spaced(&["[", "\""]).is_some()
            {
                if self.bracketed(steps)? {
                    continue;
                }
            } else if self.starts("[?(") {
                let filter = self.bracketed_filter()?;
                steps.push(Step::Filter(filter));
                continue;
            } else if !self.starts("[") {
                if !bare_name {
                    return Err(self.error("invalid path syntax"));
                }
                let name = self.name(".[]) &|=!><~");
                if self.named(steps, name)? {
                    continue;
                }
            }
            self.subscript(steps)?;
            if self.rest().starts_with([' ', '&', '|', '=', '!', '>', '<']) {
                return Ok(());
            }
        }
    }

    fn name(&mut self, ends: &str) -> &'t str {
        let rest = self.rest();
        let len = rest.find(|c| ends.contains(c)).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    /// Adds a child; true where it is the name that is wanted, which ends the path.
    fn named(&mut self, steps: &mut Vec<Step>, name: &str) -> Result<bool, PathError> {
        if name.is_empty() {
            return Err(self.error("child name missing"));
        }
        if self.take("~") {
            self.end_after_name()?;
            steps.push(Step::Name(unescaped(name)));
            return Ok(true);
        }
        self.emit();
        steps.push(if name == "*" { Step::All } else { Step::Child(unescaped(name)) });
        Ok(false)
    }

    fn end_after_name(&mut self) -> Result<(), PathError> {
        if !self.rest().is_empty() {
            let text = "property name operator may only be used on last child in path";
            return Err(self.error(text));
        }
        self.emit();
        Ok(())
    }

    fn descend(&mut self, steps: &mut Vec<Step>) -> Result<(), PathError> {
        let name = self.name(".[");
        if name.is_empty() && !self.starts("[") {
            let text = "child name or array access or filter missing after recursive descent";
            return Err(self.error(text));
        }
        self.emit();
        steps.push(Step::Descend);
        match name {
            "" if self.starts("[?(") => {
                let filter = self.bracketed_filter()?;
                steps.push(Step::FilterSelf(filter));
            }
            "" => {}
            "*" => steps.push(Step::All),
            name => steps.push(Step::Child(unescaped(name))),
        }
        Ok(())
    }

    /// `['a', "b"]`; true where the names themselves are wanted.
    fn bracketed(&mut self, steps: &mut Vec<Step>) -> Result<bool, PathError> {
        self.take_spaced("[");
        let mut names = Vec::new();
        loop {
            self.skip_space();
            let quote = self.next_char().unwrap_or_default();
            names.push(self.quoted_name(quote)?);
            if !self.take_spaced(",") {
                break;
            }
            if self.after_spaced(&["'"]).is_none() && self.after_spaced(&["\""]).is_none() {
                return Err(self.error("missing \"'\" or '\"'"));
            }
        }
        if !self.take_spaced("]") {
            return Err(self.error("missing \"]\" or \",\""));
        }
        if self.take("~") {
            self.end_after_name()?;
            steps.push(Step::Names(names));
            return Ok(true);
        }
        self.emit();
        steps.push(Step::Children(names));
        Ok(false)
    }

    fn quoted_name(&mut self, quote: char) -> Result<Vec<u8>, PathError> {
        let start = self.at;
        loop {
            if self.rest().starts_with(quote) {
                let raw = self.text.get(start..self.at).unwrap_or_default();
                self.at += quote.len_utf8();
                return Ok(unescaped(raw));
            }
            match self.next_char() {
                Some('\\') if self.rest().starts_with([quote, '\\']) => {
                    self.next_char();
                }
                Some('\\') => {
                    self.at -= 1;
                    let text = format!("unsupported escape sequence inside {quote}{quote}");
                    return Err(self.error(&text));
                }
                Some(_) => {}
                None => return Err(self.error(&format!("unmatched {}", enquoted(quote)))),
            }
        }
    }

    /// `[...]` with numbers, if it comes next.
    fn subscript(&mut self, steps: &mut Vec<Step>) -> Result<(), PathError> {
        let other = self.starts("['") || self.starts("[\"") || self.starts("[?(");
        if other || !self.take("[") {
            return Ok(());
        }
        let start = self.at;
        while !self.starts("]") {
            if self.next_char().is_none() {
                return Err(self.error("unmatched ["));
            }
        }
        let inside = self.text.get(start..self.at).unwrap_or_default();
        self.at += 1;
        let position = self.at;
        if inside.is_empty() {
            let text = format!("subscript missing from [] before position {position}");
            return Err(PathError(text));
        }
        let subscript = Subscript::parse(inside).map_err(|error| {
            PathError(format!("invalid array index [{inside}] before position {position}: {error}"))
        })?;
        if !self.take("~") {
            self.emit();
            steps.push(Step::Items(subscript));
            return Ok(());
        }
        if !self.rest().is_empty() {
            return Err(self.error("property name operator can only be used on last item in path"));
        }
        if inside != "*" {
            return Err(self.error("property name operator can only be used on map nodes"));
        }
        self.emit();
        steps.push(Step::AllNames);
        Ok(())
    }

    fn bracketed_filter(&mut self) -> Result<Filter, PathError> {
        self.take("[?(");
        self.emit();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(PathError("conditions are nested too deeply".to_owned()));
        }
        if self.starts(")]") {
            return Err(self.error("missing filter"));
        }
        let filter = self.alternatives()?;
        self.skip_space();
        // One bracket may be closed that was not opened.
        if self.starts(")") && !self.starts(")]") {
            self.at += 1;
            self.emit();
        }
        if !self.take(")]") {
            return Err(self.error("invalid filter syntax"));
        }
        self.emit();
        self.depth -= 1;
        Ok(filter)
    }

    fn alternatives(&mut self) -> Result<Filter, PathError> {
        let mut parts = vec![self.conjunction()?];
        while self.operator("||") {
            parts.push(self.conjunction()?);
        }
        Ok(one_or(parts, Filter::Any))
    }

    fn conjunction(&mut self) -> Result<Filter, PathError> {
        let mut parts = vec![self.condition()?];
        while self.operator("&&") {
            parts.push(self.condition()?);
        }
        Ok(one_or(parts, Filter::All))
    }

    fn operator(&mut self, token: &str) -> bool {
        self.skip_space();
        let found = self.take(token);
        if found {
            self.emit();
        }
        found
    }

    fn condition(&mut self) -> Result<Filter, PathError> {
        self.skip_space();
        self.start = self.at;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(PathError("conditions are nested too deeply".to_owned()));
        }
        let condition = self.nested_condition();
        self.depth -= 1;
        condition
    }

    fn nested_condition(&mut self) -> Result<Filter, PathError> {
        if self.take("(") {
            self.emit();
            let inner = self.alternatives()?;
            self.skip_space();
            if !self.starts(")]") && self.take(")") {
                self.emit();
            }
            return Ok(inner);
        }
        for token in ["!=", "&&", "||", "==", ">=", ">", "<=", "<"] {
            if self.starts(token) {
                let text = format!("missing first operand for binary operator {token}");
                return Err(self.error(&text));
            }
        }
        if self.take("!") {
            self.emit();
            return Ok(Filter::Not(Box::new(self.condition()?)));
        }
        let (term, last) = self.first_term()?;
        self.skip_space();
        self.start = self.at;
        self.comparison(term, last)
    }

    fn comparison(&mut self, left: Term, last: Last) -> Result<Filter, PathError> {
        if matches!(left, Term::Missing) {
            return Ok(Filter::Never);
        }
        if self.starts("=~") {
            if last != Last::Other {
                return Err(self.error("literal cannot be matched using =~"));
            }
            self.at += 2;
            self.emit();
            self.skip_space();
            self.start = self.at;
            return Ok(Filter::Matches(left, self.regex()?));
        }
        for (token, comparison) in [("==", Comparison::Equal), ("!=", Comparison::NotEqual)] {
            if self.take(token) {
                self.emit();
                return Ok(Filter::Compare(left, comparison, self.second_term()?));
            }
        }
        for (token, comparison) in COMPARISONS {
            if !self.starts(token) {
                continue;
            }
            let strings = format!("strings cannot be compared using {token}");
            if last == Last::String {
                return Err(self.error(&strings));
            }
            self.at += token.len();
            self.emit();
            self.skip_space();
            if self.starts("'") {
                return Err(self.error(&strings));
            }
            return Ok(Filter::Compare(left, comparison, self.second_term()?));
        }
        if self.rest().is_empty() {
            return Err(self.error("missing end of filter"));
        }
        if !self.rest().starts_with(')') && !self.starts("&&") && !self.starts("||") {
            return Err(self.error("invalid filter expression"));
        }
        Ok(match left {
            Term::Literal(Scalar::Bool(holds)) => Filter::Literal(holds),
            Term::Literal(_) | Term::Missing => Filter::Never,
            term => Filter::Exists(term),
        })
    }

    fn first_term(&mut self) -> Result<(Term, Last), PathError> {
        if let Some(found) = self.literal()? {
            return Ok(found);
        }
        if self.take("@") {
            self.emit();
            let compared =
                ["=", "!", ">", "<"].iter().any(|token| self.after_spaced(&[token]).is_some());
            let path = if compared { Path { steps: Vec::new() } } else { self.inner_path()? };
            return Ok((Term::Current(path), Last::Other));
        }
        if self.take("$") {
            self.emit();
            return Ok((Term::Root(self.inner_path()?), Last::Other));
        }
        Ok((Term::Missing, Last::Other))
    }

    fn second_term(&mut self) -> Result<Term, PathError> {
        self.skip_space();
        self.start = self.at;
        if self.take("@") {
            self.emit();
            let alone = ["|", "&", ")"].iter().any(|token| self.after_spaced(&[token]).is_some());
            let path = if alone { Path { steps: Vec::new() } } else { self.inner_path()? };
            return Ok(Term::Current(path));
        }
        if self.take("$") {
            self.emit();
            return Ok(Term::Root(self.inner_path()?));
        }
        match self.literal()? {
            Some((term, _)) => Ok(term),
            None => Err(self.error("invalid filter term")),
        }
    }

    fn inner_path(&mut self) -> Result<Path, PathError> {
        let mut steps = Vec::new();
        self.sub_path(&mut steps, false)?;
        Ok(Path { steps })
    }

    fn literal(&mut self) -> Result<Option<(Term, Last)>, PathError> {
        let first = self.rest().chars().next();
        if matches!(first, Some('.' | '-' | '0'..='9')) {
            return Ok(Some((Term::Literal(self.number()?), Last::Number)));
        }
        if let Some(quote @ ('\'' | '"')) = first {
            let position = self.at;
            let inside = self.text.get(self.at + 1..).unwrap_or_default();
            let Some(len) = inside.find(quote) else {
                let context = quoted(self.text.get(self.before..self.at).unwrap_or_default());
                return Err(PathError(format!(
                    "unmatched string delimiter {quote} at position {position}, following {context}"
                )));
            };
            self.at += len + 2;
            self.emit();
            let text = Str::from(inside.get(..len).unwrap_or_default());
            return Ok(Some((Term::Literal(Scalar::String(text)), Last::String)));
        }
        for (word, scalar) in
            [("true", Scalar::Bool(true)), ("false", Scalar::Bool(false)), ("null", Scalar::Null)]
        {
            if self.take_spaced(word) {
                self.emit();
                return Ok(Some((Term::Literal(scalar), Last::Other)));
            }
        }
        Ok(None)
    }

    fn number(&mut self) -> Result<Scalar, PathError> {
        let rest = self.rest();
        let tail = rest.get(1..).unwrap_or_default();
        let other = |c: char| !matches!(c, '0'..='9' | '.' | 'e' | 'E' | '-');
        let len = 1 + tail.find(other).unwrap_or(tail.len());
        let text = rest.get(..len).unwrap_or_default();
        self.at += len;
        let float = text.starts_with('.')
            || tail.get(..len - 1).is_some_and(|t| t.contains(['.', 'e', 'E', '-']));
        let number = if float {
            text.parse::<f64>().ok()
        } else {
            text.parse::<i64>().ok().map(|n| n as f64)
        };
        let Some(number) = number else {
            let (kind, parse) = if float { ("float", "ParseFloat") } else { ("integer", "Atoi") };
            let text = quoted(text);
            return Err(PathError(format!(
                "invalid {kind} literal {text}: strconv.{parse}: parsing {text}: invalid syntax \
                 before position {}",
                self.at
            )));
        };
        self.emit();
        Ok(Scalar::Number(number))
    }

    fn regex(&mut self) -> Result<Regex, PathError> {
        if !self.take("/") {
            return Err(self.error("regular expression does not start with /"));
        }
        let position = self.at - 1;
        let start = self.at;
        let context = quoted(self.text.get(self.before..position).unwrap_or_default());
        let mut escaped = false;
        loop {
            let c = self.rest().chars().next();
            match c {
                None => {
                    return Err(PathError(format!(
                        "unmatched regular expression delimiter / at position {position}, \
                         following {context}"
                    )));
                }
                Some('/') if !escaped => break,
                Some(c) => {
                    escaped = c == '\\' && !escaped;
                    self.at += c.len_utf8();
                }
            }
        }
        let pattern = self.text.get(start..self.at).unwrap_or_default().replace("\\/", "/");
        self.at += 1;
        let regex = GoRegex::compile(&pattern).map_err(|error| {
            PathError(format!(
                "invalid regular expression at position {position}, following {context}: {error}"
            ))
        })?;
        self.emit();
        Ok(Regex(Arc::new(regex)))
    }
}

fn one_or(mut parts: Vec<Filter>, several: impl Fn(Vec<Filter>) -> Filter) -> Filter {
    match (parts.len(), parts.pop()) {
        (1, Some(one)) => one,
        (_, Some(last)) => {
            parts.push(last);
            several(parts)
        }
        (_, None) => Filter::Never,
    }
}

/// A backslash takes what follows as it is.
fn unescaped(raw: &str) -> Vec<u8> {
    let mut out = String::with_capacity(raw.len());
    let mut escaped = false;
    for c in raw.chars() {
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        out.push(c);
    }
    out.into_bytes()
}

fn quoted(text: &str) -> String {
    String::from_utf8_lossy(&strconv::quote(text.as_bytes())).into_owned()
}

fn quoted_char(c: char) -> String {
    format!("'{c}'")
}

fn enquoted(quote: char) -> &'static str {
    if quote == '\'' { "\"'\"" } else { "'\"'" }
}
