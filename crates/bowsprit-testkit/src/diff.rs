use std::fmt::Write;

const CONTEXT: usize = 3;
const SHOWN: usize = 40;

/// Whether both hold the same lines, whatever their order.
#[must_use]
pub fn same_lines(a: &[u8], b: &[u8]) -> bool {
    let sorted = |bytes| {
        let mut lines = lines(bytes);
        lines.sort_unstable();
        lines
    };
    sorted(a) == sorted(b)
}

/// The part in which two texts differ: `-` lines are expected, `+` lines came instead.
///
/// The common head and tail are cut to three lines; bytes that a terminal would not show are
/// escaped. Empty for equal texts.
#[must_use]
pub fn diff(want: &[u8], got: &[u8]) -> String {
    if want == got {
        return String::new();
    }
    let (want, got) = (lines(want), lines(got));
    let head = want.iter().zip(&got).take_while(|(a, b)| a == b).count();
    let most = want.len().min(got.len()) - head;
    let tail = want.iter().rev().zip(got.iter().rev()).take(most).take_while(|(a, b)| a == b);
    let tail = tail.count();
    let (want_end, got_end) = (want.len() - tail, got.len() - tail);

    let mut out = format!("  @ line {}\n", head + 1);
    let before = head.saturating_sub(CONTEXT);
    show(&mut out, ' ', want.get(before..head));
    show(&mut out, '-', want.get(head..want_end));
    show(&mut out, '+', got.get(head..got_end));
    show(&mut out, ' ', want.get(want_end..want.len().min(want_end + CONTEXT)));
    out
}

/// Lines with their line ends, so that a missing one at the end is a difference.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|&b| b == b'\n').collect()
}

fn show(out: &mut String, sign: char, lines: Option<&[&[u8]]>) {
    let lines = lines.unwrap_or_default();
    for line in lines.iter().take(SHOWN) {
        let (line, end) = match line.strip_suffix(b"\n") {
            Some(line) => (line, ""),
            None => (*line, "\\no newline"),
        };
        let _ = writeln!(out, "  {sign}{}{end}", visible(line));
    }
    if lines.len() > SHOWN {
        let _ = writeln!(out, "  {sign}... and {} lines more", lines.len() - SHOWN);
    }
}

fn visible(line: &[u8]) -> String {
    let mut out = String::with_capacity(line.len());
    for chunk in line.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    let blanks = out.len() - out.trim_end_matches(' ').len();
    out.truncate(out.len() - blanks);
    out.extend(std::iter::repeat_n('·', blanks));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_differing_lines_are_shown() {
        let want = b"1\n2\n3\n4\n5\nsame\nold  \n6\n7\n8\n9\n";
        let got = b"1\n2\n3\n4\n5\nsame\nnew\t\xff\nmore\n6\n7\n8\n9\n";
        assert_eq!(
            diff(want, got),
            "  @ line 7\n   4\n   5\n   same\n  -old··\n  +new\\t\\xff\n  +more\n   6\n   7\n   8\n"
        );
    }

    #[test]
    fn a_missing_newline_is_a_difference() {
        assert_eq!(diff(b"a\n", b"a"), "  @ line 1\n  -a\n  +a\\no newline\n");
        assert_eq!(diff(b"a\n", b"a\n\n"), "  @ line 2\n   a\n  +\n");
        assert_eq!(diff(b"a", b"a"), "");
    }

    #[test]
    fn order_may_be_ignored() {
        assert!(same_lines(b"a\nb\n", b"b\na\n"));
        assert!(!same_lines(b"a\na\n", b"a\n"));
    }
}
