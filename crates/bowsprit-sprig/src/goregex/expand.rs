//! The templates of `ReplaceAllString`.

use bowsprit_value::unicode::{decode_rune, is_digit, is_letter};

/// A template, taken apart once for all matches.
pub(super) struct Template<'a> {
    pieces: Vec<Piece<'a>>,
}

enum Piece<'a> {
    Text(&'a [u8]),
    Group(usize),
    /// The groups of a name; the first of them that matched counts.
    Named(Vec<usize>),
}

impl<'a> Template<'a> {
    /// Takes a template apart; `names` are those of the groups from 1 on.
    pub(super) fn parse(template: &'a [u8], names: &[Box<[u8]>]) -> Self {
        let mut pieces = Vec::new();
        let mut rest = template;
        while let Some(dollar) = rest.iter().position(|&b| b == b'$') {
            let (before, after) = rest.split_at(dollar);
            let (sign, after) = after.split_at(1);
            pieces.push(Piece::Text(before));
            rest = after;
            if let Some(after) = rest.strip_prefix(b"$") {
                pieces.push(Piece::Text(sign));
                rest = after;
                continue;
            }
            let Some((name, after)) = extract(rest) else {
                pieces.push(Piece::Text(sign));
                continue;
            };
            rest = after;
            pieces.push(reference(name, names));
        }
        pieces.push(Piece::Text(rest));
        Template { pieces }
    }

    /// A template in which nothing is special.
    pub(super) fn literal(text: &'a [u8]) -> Self {
        Template { pieces: vec![Piece::Text(text)] }
    }

    /// What it takes to expand the template, in instructions.
    pub(super) fn cost(&self) -> u64 {
        let texts = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => 1 + text.len() as u64 / 64,
            Piece::Group(_) => 1,
            Piece::Named(groups) => 1 + groups.len() as u64,
        });
        texts.sum()
    }

    /// The highest group that is referred to.
    pub(super) fn groups(&self) -> usize {
        let highest = |piece: &Piece<'_>| match piece {
            Piece::Text(_) => None,
            Piece::Group(group) => Some(*group),
            Piece::Named(groups) => groups.last().copied(),
        };
        self.pieces.iter().filter_map(highest).max().unwrap_or(0)
    }

    pub(super) fn expand(&self, out: &mut Vec<u8>, text: &[u8], slots: &[usize]) {
        let group = |group: usize| {
            let bounds = slots.get(2 * group..2 * group + 2)?;
            text.get(*bounds.first()?..*bounds.last()?)
        };
        for piece in &self.pieces {
            let piece = match piece {
                Piece::Text(text) => Some(*text),
                Piece::Group(number) => group(*number),
                Piece::Named(numbers) => numbers.iter().find_map(|&number| group(number)),
            };
            out.extend_from_slice(piece.unwrap_or_default());
        }
    }
}

fn reference<'a>(name: &[u8], names: &[Box<[u8]>]) -> Piece<'a> {
    match group_number(name) {
        Some(number) if number <= names.len() => Piece::Group(number),
        Some(_) => Piece::Text(b""),
        None => {
            let groups = names.iter().enumerate().filter(|(_, other)| &***other == name);
            Piece::Named(groups.map(|(index, _)| index + 1).collect())
        }
    }
}

/// The name that a template goes on with after a dollar sign, and what follows.
fn extract(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let braced = text.strip_prefix(b"{");
    let text = braced.unwrap_or(text);
    let mut len = 0;
    loop {
        let (rune, width) = decode_rune(text.get(len..).unwrap_or_default());
        if width == 0 || !(is_letter(rune) || is_digit(rune) || rune == '_') {
            break;
        }
        len += width;
    }
    if len == 0 {
        return None;
    }
    let (name, rest) = text.split_at(len);
    match braced {
        Some(_) => Some((name, rest.strip_prefix(b"}")?)),
        None => Some((name, rest)),
    }
}

/// The value of a name that is a number without leading zeros.
fn group_number(name: &[u8]) -> Option<usize> {
    if name.len() > 1 && name.starts_with(b"0") {
        return None;
    }
    name.iter().try_fold(0, |number: usize, b| {
        let small = b.is_ascii_digit() && number < 100_000_000;
        small.then(|| number * 10 + usize::from(b - b'0'))
    })
}
