//! Words joined in other ways: huandu/xstrings' `ToPascalCase`, `ToSnakeCase` and `ToKebabCase`.

use bowsprit_value::unicode::{
    RUNE_ERROR, decode_rune, is_letter, is_number, is_punct, is_space, is_upper, push_rune, runes,
    to_lower, to_upper,
};
use bowsprit_value::{Args, FuncError, Value};

fn is_connector(c: char) -> bool {
    matches!(c, '-' | '_') || is_space(c)
}

/// A letter of a script that has words; most of the CJK characters are none.
fn is_alphabet(c: char) -> bool {
    is_letter(c)
        && !matches!(c, '\u{3400}'..='\u{4d85}' | '\u{4e00}'..='\u{9fcc}' | '\u{20000}'..='\u{2b81d}')
}

pub(super) fn camelcase(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let s = args.str(0).as_bytes();
    args.charge(s.len())?;
    Ok(Value::str(pascal_case(s)))
}

fn pascal_case(s: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(s.len() + 4);
    let mut rest = runes(s).map(|(c, _)| c).peekable();
    let Some(mut current) = rest.next() else { return out };
    while is_connector(current) {
        push_rune(&mut out, current);
        match rest.next() {
            Some(c) => current = c,
            None => break,
        }
    }
    // A text of connectors alone ends with one too many, as xstrings has it.
    let mut lowering = false;
    if !is_connector(current) {
        lowering = is_upper(current);
        current = to_upper(current);
    }
    for c in rest {
        let previous = std::mem::replace(&mut current, c);
        match (is_connector(previous), is_connector(c)) {
            (true, true) => push_rune(&mut out, previous),
            (true, false) => {
                lowering = is_upper(c);
                current = to_upper(c);
            }
            (false, _) => {
                if lowering && is_upper(c) {
                    current = to_lower(c);
                } else {
                    lowering = false;
                }
                push_rune(&mut out, previous);
            }
        }
    }
    push_rune(&mut out, current);
    out
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Invalid,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punct,
    Other,
}

use Kind::{Alphabet, Connector, Invalid, Number, Other, Punct, Upper};

/// The rest of a text, and the word that was cut off it last.
struct Words<'s> {
    rest: &'s [u8],
    kind: Kind,
    word: &'s [u8],
}

impl<'s> Words<'s> {
    fn new(s: &'s [u8]) -> Words<'s> {
        let mut words = Words { rest: s, kind: Invalid, word: &[] };
        words.advance();
        words
    }

    fn advance(&mut self) {
        let (kind, end) = next_word(self.rest);
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, &[]));
        (self.kind, self.word, self.rest) = (kind, word, rest);
    }
}

/// The first rune that is valid, and the bytes up to its end; without one, the given rune.
fn next_valid(s: &[u8], otherwise: char) -> (char, usize) {
    let mut size = 0;
    for (c, width) in runes(s) {
        size += width;
        if c != RUNE_ERROR {
            return (c, size);
        }
    }
    (otherwise, size)
}

/// A text that is being scanned for the end of its first word.
struct Scan<'s> {
    s: &'s [u8],
    end: usize,
    rune: char,
}

impl Scan<'_> {
    fn rest(&self) -> &[u8] {
        self.s.get(self.end..).unwrap_or_default()
    }

    /// Looks at the next rune without taking it. Returns its size.
    fn look(&mut self) -> usize {
        let (rune, size) = next_valid(self.rest(), self.rune);
        self.rune = rune;
        size
    }

    fn take_while(&mut self, wanted: fn(char) -> bool) {
        while !self.rest().is_empty() {
            let size = self.look();
            if !wanted(self.rune) {
                break;
            }
            self.end += size;
        }
    }
}

fn next_word(s: &[u8]) -> (Kind, usize) {
    let (rune, end) = next_valid(s, RUNE_ERROR);
    let mut scan = Scan { s, end, rune };
    let kind = match rune {
        RUNE_ERROR => return (Invalid, end),
        c if is_connector(c) => Connector,
        c if is_punct(c) => Punct,
        c if is_upper(c) => Upper,
        c if is_alphabet(c) => Alphabet,
        c if is_number(c) => Number,
        _ => Other,
    };
    match kind {
        Connector => scan.take_while(is_connector),
        Punct => scan.take_while(is_punct),
        Upper => capitalised(&mut scan),
        Alphabet => scan.take_while(is_small),
        Number => scan.take_while(is_number),
        _ => scan.take_while(is_other),
    }
    (kind, scan.end)
}

fn is_small(c: char) -> bool {
    is_alphabet(c) && !is_upper(c)
}

fn is_other(c: char) -> bool {
    !is_connector(c) && !is_alphabet(c) && !is_number(c) && !is_punct(c)
}

/// `Word`, or `WORD` up to the capital that begins another `Word`.
fn capitalised(scan: &mut Scan<'_>) {
    if scan.rest().is_empty() {
        return;
    }
    let mut size = scan.look();
    if !is_upper(scan.rune) {
        if is_alphabet(scan.rune) {
            scan.end += size;
            scan.take_while(is_small);
        }
        return;
    }
    let mut last;
    loop {
        last = size;
        scan.end += size;
        if scan.rest().is_empty() {
            return;
        }
        size = scan.look();
        if !is_upper(scan.rune) {
            break;
        }
    }
    if is_alphabet(scan.rune) {
        scan.end -= last;
    }
}

pub(super) fn lower_case(args: &mut Args<'_>, connector: char) -> Result<Value, FuncError> {
    let s = args.str(0).as_bytes();
    args.charge(s.len().saturating_mul(2))?;
    Ok(Value::str(joined(s, connector)))
}

fn joined(s: &[u8], connector: char) -> Vec<u8> {
    let mut out = Joined { text: Vec::with_capacity(s.len() + s.len() / 2), connector };
    if s.is_empty() {
        return out.text;
    }
    let mut words = Words::new(s);
    while !words.rest.is_empty() {
        if words.kind != Connector {
            out.push(words.kind, words.word);
        }
        let (previous, last) = (words.kind, words.word);
        words.advance();
        match previous {
            Number => {
                out.push_letters(&mut words);
                out.connect_unless(words.kind, true);
            }
            Connector => out.push(previous, last),
            Punct => {}
            _ => after_letters(&mut out, &mut words),
        }
    }
    out.push(words.kind, words.word);
    out.text
}

/// Decides where a number belongs that stands after letters.
fn after_letters(out: &mut Joined, words: &mut Words<'_>) {
    if words.kind != Number {
        return out.connect_unless(words.kind, false);
    }
    if words.rest.is_empty() {
        return;
    }
    let number = words.word;
    words.advance();
    if words.kind != Alphabet {
        // `Bld4Floor`: the number is part of the word before.
        out.push(Number, number);
        return out.connect_unless(words.kind, false);
    }
    // `HTTP2xx`: it is part of the word after.
    out.connect();
    out.push(Number, number);
    out.push_letters(words);
    out.connect_unless(words.kind, true);
}

struct Joined {
    text: Vec<u8>,
    connector: char,
}

impl Joined {
    fn connect(&mut self) {
        push_rune(&mut self.text, self.connector);
    }

    fn connect_unless(&mut self, next: Kind, at_end: bool) {
        let none = matches!(next, Connector | Punct) || at_end && next == Invalid;
        if !none {
            self.connect();
        }
    }

    /// Small letters and numbers up to something else.
    fn push_letters(&mut self, words: &mut Words<'_>) {
        while matches!(words.kind, Alphabet | Number) {
            self.push(words.kind, words.word);
            words.advance();
        }
    }

    fn push(&mut self, kind: Kind, mut word: &[u8]) {
        if !matches!(kind, Upper | Connector) {
            self.text.extend_from_slice(word);
            return;
        }
        while !word.is_empty() {
            let (c, width) = decode_rune(word);
            word = word.get(width..).unwrap_or_default();
            let c = if is_connector(c) { self.connector } else { c };
            push_rune(&mut self.text, if is_upper(c) { to_lower(c) } else { c });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn snakes() {
        for (s, want) in [
            ("FirstName", "first_name"),
            ("HTTPServer", "http_server"),
            ("NoHTTPS", "no_https"),
            ("GO PATH", "go_path"),
            ("http2xx", "http_2xx"),
            ("HTTP20xOK", "http_20x_ok"),
            ("Duration2m3s", "duration_2m3s"),
            ("Bld4Floor3rd", "bld4_floor_3rd"),
            ("__Foo__Bar", "__foo__bar"),
            ("a.B", "a.b"),
            ("_", "_"),
            ("", ""),
        ] {
            assert_eq!(text(joined(s.as_bytes(), '_')), want, "{s}");
        }
    }

    #[test]
    fn pascals() {
        for (s, want) in [
            ("some_words", "SomeWords"),
            ("http_server", "HttpServer"),
            ("_complex__case_", "_Complex_Case_"),
            ("GOLANG_IS_GREAT", "GolangIsGreat"),
            ("a", "A"),
            ("_", "__"),
            ("", ""),
        ] {
            assert_eq!(text(pascal_case(s.as_bytes())), want, "{s}");
        }
    }
}
