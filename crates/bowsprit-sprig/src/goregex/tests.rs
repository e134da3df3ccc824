use super::*;

fn free() -> impl FnMut(u64) -> Result<(), ()> {
    |_| Ok(())
}

fn compile(pattern: &str) -> GoRegex {
    GoRegex::compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"))
}

fn strings(pieces: Vec<&[u8]>) -> Vec<String> {
    pieces.iter().map(|piece| piece.escape_ascii().to_string()).collect()
}

#[test]
fn refuses_with_the_words_of_go() {
    let cases: &[(&[u8], &str)] = &[
        (b"[a", "missing closing ]: `[a`"),
        (b"x[]a", "missing closing ]: `[]a`"),
        (b"(a", "missing closing ): `(a`"),
        (b"a)b", "unexpected ): `a)b`"),
        (b"a|*", "missing argument to repetition operator: `*`"),
        (b"(+?)", "missing argument to repetition operator: `+?`"),
        (b"a**", "invalid nested repetition operator: `**`"),
        (b"a{2}{3}?b", "invalid nested repetition operator: `{2}{3}?`"),
        (b"a{1001}", "invalid repeat count: `{1001}`"),
        (b"a{2,1}", "invalid repeat count: `{2,1}`"),
        (b"((a{100}){10}){2}", "invalid repeat count: `{2}`"),
        (b"a\\", "trailing backslash at end of expression: ``"),
        (b"\\8", "invalid escape sequence: `\\8`"),
        (b"[\\C]", "invalid escape sequence: `\\C`"),
        (b"\\x{110000}", "invalid escape sequence: `\\x{110000`"),
        (b"[z-a]", "invalid character class range: `z-a`"),
        (b"[[:foo:]]", "invalid character class range: `[:foo:]`"),
        (b"\\p{Foo}", "invalid character class range: `\\p{Foo}`"),
        (b"\\p{Old_Italic}", "invalid character class range: `\\p{Old_Italic}`"),
        (b"(?P<a-b>x)", "invalid named capture: `(?P<a-b>`"),
        (b"(?<a", "invalid named capture: `(?<a`"),
        (b"(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        (b"(?i", "invalid or unsupported Perl syntax: `(?i`"),
        (b"(?i-)", "invalid or unsupported Perl syntax: `(?i-)`"),
        (b"a\xffb", "invalid UTF-8: `\u{fffd}b`"),
        (b"\\Qa\xff\\Eb", "invalid UTF-8: `\u{fffd}`"),
    ];
    for (pattern, message) in cases {
        let error = GoRegex::compile(pattern).err().map(|error| error.to_string());
        assert_eq!(error, Some(format!("error parsing regexp: {message}")));
    }
}

#[test]
fn limits_depth_and_size() {
    let nested = |depth: usize| format!("{}{}", "(".repeat(depth), ")".repeat(depth));
    let code = |pattern: &str| GoRegex::compile(pattern).map_err(|error| error.code()).err();
    assert_eq!(code(&nested(999)), None);
    assert_eq!(code(&nested(1000)), Some(ErrorCode::NestingDepth));
    assert_eq!(code(&"(?:".repeat(100_000)), Some(ErrorCode::MissingParen));
    let optional = format!("{}a{}", "(?:".repeat(999), ")?".repeat(999));
    assert_eq!(code(&optional), None);
    assert_eq!(code(&"a{1000}".repeat(501)), Some(ErrorCode::Large));
    assert_eq!(code(&"(a)".repeat(900)), Some(ErrorCode::Large));
    assert_eq!(code(&"[\\pL\\d]".repeat(5000)), Some(ErrorCode::Large));
    assert_eq!(code(&format!("(?i){}", "[B-\\x{10000}]".repeat(5000))), Some(ErrorCode::Large));
}

#[test]
fn finds_all_as_go_does() -> Result<(), ()> {
    let cases: &[(&str, &[u8], i64, &[&str])] = &[
        ("a*", b"baac", -1, &["", "aa", ""]),
        ("a*?", b"ba", -1, &["", "", ""]),
        ("foo.?", b"seafood fool", 1, &["food"]),
        (".", b"a\n\xe9\xc3\xa9", -1, &["a", "\\xe9", "\\xc3\\xa9"]),
        ("\\x{fffd}", b"\xff\xef\xbf\xbd", -1, &["\\xff", "\\xef\\xbf\\xbd"]),
        ("[^a]b|\\w", b"ab\xe9b", -1, &["a", "b", "\\xe9b"]),
        ("(?i)[k-l]", "kK\u{212a}m".as_bytes(), -1, &["k", "K", "\\xe2\\x84\\xaa"]),
        ("\\bx\\b", "x \u{e9}x xy".as_bytes(), -1, &["x", "x"]),
        ("(|a)*", b"aa", -1, &["", "", ""]),
        ("(|a)+", b"aa", -1, &["", "", ""]),
        ("(?m)^.*$", b"a\n\nb", -1, &["a", "", "b"]),
        ("a$", b"a\na", -1, &["a"]),
        ("(?U)a+(?U:b+?)", b"aabb", -1, &["aabb"]),
        ("a{,2}", b"aa{,2}", -1, &["a{,2}"]),
        ("\\Qa.b\\E+", b"a.bb", -1, &["a.bb"]),
        ("[[a]&&b]]", b"a][", -1, &[]),
        ("\\101|\\x42|\\x{43}", b"ABC", -1, &["A", "B", "C"]),
        ("[\\x{D800}-\\x{DFFF}]", b"\xed\xa0\x80", -1, &[]),
        ("a", b"aaa", 0, &[]),
    ];
    for (pattern, text, n, found) in cases {
        assert_eq!(strings(compile(pattern).find_all(text, *n, &mut free())?), *found, "{pattern}");
    }
    Ok(())
}

#[test]
fn replaces_as_go_does() -> Result<(), ()> {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("a*", "baaac", "x", "xbxcx"),
        ("a(x*)b", "-ab-axxb-", "${1}W", "-W-xxW-"),
        ("a(x*)b", "-ab-axxb-", "$1W", "---"),
        ("(?P<n>a)|(?<n>b)", "ab", "[$n$$$2]", "[a$][b$b]"),
        ("(a)(b)?", "a", "$2|$3|$0|$01|$1", "||a||a"),
        ("a", "a", "${1$ $", "${1$ $"),
        ("(é)", "é", "$1é", ""),
    ];
    for (pattern, text, template, result) in cases {
        let replaced =
            compile(pattern).replace_all(text.as_bytes(), template.as_bytes(), &mut free())?;
        assert_eq!(String::from_utf8_lossy(&replaced), *result, "{pattern}");
    }
    let literal = compile("a(b)").replace_all_literal(b"ab", b"$1", &mut free())?;
    assert_eq!(literal, b"$1");
    Ok(())
}

#[test]
fn splits_as_go_does() -> Result<(), ()> {
    type Pieces = Option<&'static [&'static str]>;
    let cases: &[(&str, &str, i64, Pieces)] = &[
        ("a*", "abaabaccadaaae", 5, Some(&["", "b", "b", "c", "cadaaae"])),
        ("", "abc", -1, Some(&["a", "b", "c"])),
        ("", "", -1, Some(&[])),
        ("x", "", -1, Some(&[""])),
        ("x", "axb", 1, Some(&["axb"])),
        ("x", "axb", 0, None),
        ("x", "ax", -1, Some(&["a", ""])),
    ];
    for (pattern, text, n, pieces) in cases {
        let split = compile(pattern).split(text.as_bytes(), *n, &mut free())?;
        let pieces = pieces.map(|pieces| pieces.iter().map(ToString::to_string).collect());
        assert_eq!(split.map(strings), pieces, "{pattern} {text}");
    }
    Ok(())
}

/// Long texts leave the backtracker, whose memory is bounded, for the other machine.
#[test]
fn searches_long_texts() -> Result<(), ()> {
    let text = format!("{}b\n", "a".repeat(60_000));
    let text = text.as_bytes();
    assert!(!compile("^(a+)+$").is_match(text, &mut free())?);
    assert_eq!(compile("(a|aa)*?b").find(text, &mut free())?, Some(0..60_001));
    assert_eq!(compile("(?s)\\bb|a.*(.)$").find(text, &mut free())?, Some(0..60_002));
    let replaced = compile("(?P<x>a+)(b)").replace_all(text, b"$2", &mut free())?;
    assert_eq!(replaced, b"b\n");
    Ok(())
}

#[test]
fn charges_for_work() {
    let text = "a".repeat(20_000);
    // Every search looks at the rest of the text in vain.
    let hostile = compile("(?:a*c)|a");
    let mut left = 100_000u64;
    let mut meter = |steps: u64| {
        left = left.checked_sub(steps).ok_or("out of steps")?;
        Ok(())
    };
    assert_eq!(hostile.find_all(text.as_bytes(), -1, &mut meter), Err("out of steps"));
    let mut spent = 0;
    let mut meter = |steps: u64| {
        spent += steps;
        Ok::<(), ()>(())
    };
    assert_eq!(compile("b").is_match(text.as_bytes(), &mut meter), Ok(false));
    assert!((1..10_000).contains(&spent), "{spent}");
}

#[test]
fn quotes() {
    assert_eq!(quote_meta(b"a.b-\\{\xff}"), b"a\\.b-\\\\\\{\xff\\}");
}
