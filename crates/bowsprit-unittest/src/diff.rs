//! A unified diff with one line around each change, as the Go module difflib makes it.

use std::collections::HashMap;
use std::fmt::Write;

/// A block of equal lines: where it begins on both sides, and how long it is.
type Block = (usize, usize, usize);

/// Lines that occur in more than a hundredth of a long text are no anchors.
const POPULAR_FROM: usize = 200;

/// The diff of two texts; empty if they are the same.
pub(crate) fn unified(expected: &str, actual: &str) -> String {
    let (a, b) = (lines(expected), lines(actual));
    let groups = groups(&changes(&a, &b), a.len(), b.len());
    let mut out = String::new();
    for group in &groups {
        if out.is_empty() {
            out.push_str("--- Expected\n+++ Actual\n");
        }
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let (from, to) = (range(first.0, last.1), range(first.2, last.3));
        let _ = writeln!(out, "@@ -{from} +{to} @@");
        for &(a_from, a_to, b_from, b_to, equal) in group {
            let mut write = |mark: char, side: &[String], from: usize, to: usize| {
                for line in side.get(from..to).unwrap_or_default() {
                    out.push(mark);
                    out.push_str(line);
                }
            };
            if equal {
                write(' ', &a, a_from, a_to);
            } else {
                write('-', &a, a_from, a_to);
                write('+', &b, b_from, b_to);
            }
        }
    }
    out
}

/// Lines with their breaks; a break is added to what follows the last one.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.split('\n').map(|line| format!("{line}\n")).collect();
    if lines.is_empty() {
        lines.push("\n".to_owned());
    }
    lines
}

fn range(from: usize, to: usize) -> String {
    match to - from {
        1 => (from + 1).to_string(),
        0 => format!("{from},0"),
        length => format!("{},{length}", from + 1),
    }
}

fn changes(a: &[String], b: &[String]) -> Vec<Block> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, line) in b.iter().enumerate() {
        places.entry(line).or_default().push(at);
    }
    if b.len() >= POPULAR_FROM {
        places.retain(|_, at| at.len() <= b.len() / 100 + 1);
    }
    let mut blocks = Vec::new();
    let mut pending = vec![(0, a.len(), 0, b.len())];
    while let Some((a_from, a_to, b_from, b_to)) = pending.pop() {
        let block = longest(a, b, &places, (a_from, a_to, b_from, b_to));
        let (i, j, size) = block;
        if size == 0 {
            continue;
        }
        blocks.push(block);
        if a_from < i && b_from < j {
            pending.push((a_from, i, b_from, j));
        }
        if i + size < a_to && j + size < b_to {
            pending.push((i + size, a_to, j + size, b_to));
        }
    }
    blocks.sort_unstable();
    let mut joined: Vec<Block> = Vec::new();
    for (i, j, size) in blocks {
        match joined.last_mut() {
            Some((li, lj, ls)) if *li + *ls == i && *lj + *ls == j => *ls += size,
            _ => joined.push((i, j, size)),
        }
    }
    joined
}

fn longest(
    a: &[String],
    b: &[String],
    places: &HashMap<&str, Vec<usize>>,
    (a_from, a_to, b_from, b_to): (usize, usize, usize, usize),
) -> Block {
    let (mut best_i, mut best_j, mut best) = (a_from, b_from, 0);
    let mut lengths: HashMap<usize, usize> = HashMap::new();
    for i in a_from..a_to {
        let mut next = HashMap::new();
        let found = a.get(i).and_then(|line| places.get(line.as_str()));
        for &j in found.into_iter().flatten() {
            if j < b_from {
                continue;
            }
            if j >= b_to {
                break;
            }
            let length = 1 + j.checked_sub(1).and_then(|j| lengths.get(&j)).copied().unwrap_or(0);
            next.insert(j, length);
            if length > best {
                (best_i, best_j, best) = (i + 1 - length, j + 1 - length, length);
            }
        }
        lengths = next;
    }
    // Popular lines at the ends belong to it after all.
    while best_i > a_from && best_j > b_from && a.get(best_i - 1) == b.get(best_j - 1) {
        (best_i, best_j, best) = (best_i - 1, best_j - 1, best + 1);
    }
    while best_i + best < a_to
        && best_j + best < b_to
        && a.get(best_i + best) == b.get(best_j + best)
    {
        best += 1;
    }
    (best_i, best_j, best)
}

/// Ranges of both sides, and whether they are equal.
type Piece = (usize, usize, usize, usize, bool);

fn groups(blocks: &[Block], a_len: usize, b_len: usize) -> Vec<Vec<Piece>> {
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut i, mut j) = (0, 0);
    for &(bi, bj, size) in blocks.iter().chain(&[(a_len, b_len, 0)]) {
        if i < bi || j < bj {
            pieces.push((i, bi, j, bj, false));
        }
        if size > 0 {
            pieces.push((bi, bi + size, bj, bj + size, true));
        }
        (i, j) = (bi + size, bj + size);
    }
    if pieces.iter().all(|piece| piece.4) {
        return Vec::new();
    }
    if let Some(first) = pieces.first_mut().filter(|piece| piece.4) {
        first.0 = first.0.max(first.1.saturating_sub(1));
        first.2 = first.2.max(first.3.saturating_sub(1));
    }
    if let Some(last) = pieces.last_mut().filter(|piece| piece.4) {
        last.1 = last.1.min(last.0 + 1);
        last.3 = last.3.min(last.2 + 1);
    }
    let mut groups = Vec::new();
    let mut group: Vec<Piece> = Vec::new();
    for (a_from, a_to, b_from, b_to, equal) in pieces {
        if equal && a_to - a_from > 2 {
            group.push((a_from, a_from + 1, b_from, b_from + 1, true));
            groups.push(std::mem::take(&mut group));
            group.push((a_to - 1, a_to, b_to - 1, b_to, true));
        } else {
            group.push((a_from, a_to, b_from, b_to, equal));
        }
    }
    // A group of nothing but what is equal shows nothing.
    let shown = match group.as_slice() {
        [] => false,
        [only] => !only.4,
        _ => true,
    };
    if shown {
        groups.push(group);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::unified;

    #[test]
    fn changes_stand_with_a_line_around_them() {
        assert_eq!(
            unified("1000000\n", "1e+06\n"),
            "--- Expected\n+++ Actual\n@@ -1,2 +1,2 @@\n-1000000\n+1e+06\n \n"
        );
        assert_eq!(
            unified("a\nb\nc\nd\ne\n", "a\nb\nX\nd\ne\n"),
            "--- Expected\n+++ Actual\n@@ -2,3 +2,3 @@\n b\n-c\n+X\n d\n"
        );
        assert_eq!(unified("a\n", "a\n"), "");
    }
}
