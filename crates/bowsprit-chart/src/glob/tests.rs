use super::*;

/// Recorded from gobwas/glob; `None` stands for a refused pattern. Some of the answers are the
/// library's mistakes.
#[test]
fn matches_as_gobwas_does() {
    let cases: &[(&str, &str, Option<bool>)] = &[
        ("*", "a.yaml", Some(true)),
        ("*", "a/b", Some(false)),
        ("**", "a/b", Some(true)),
        ("config/**.yaml", "config/a/b.yaml", Some(true)),
        ("config/*.yaml", "config/a/b.yaml", Some(false)),
        ("**/*.yaml", "a.yaml", Some(false)),
        ("**/*.yaml", "x/a.yaml", Some(true)),
        ("?", "/", Some(false)),
        ("?", "", Some(true)),
        ("?", "é", Some(true)),
        ("[!a]", "é", Some(true)),
        ("[!a]", "", Some(true)),
        ("[a-c]x", "bx", Some(true)),
        ("[]", "]", None),
        ("[!]", "a", None),
        ("[c-a]", "b", None),
        ("[a-]", "a", None),
        ("[a-cx]", "a", None),
        ("{a,b}c", "bc", Some(true)),
        ("{a,b", "b", Some(true)),
        ("a}", "a}", Some(true)),
        ("a,b", "a,b", Some(true)),
        ("{a,}b", "b", Some(true)),
        ("{ab,ac}d", "acd", Some(true)),
        ("{a*,b}c", "axc", Some(false)),
        ("{*a,b*}", "xa", Some(true)),
        ("{a,bc}*", "bcx", Some(true)),
        ("a{b*,c?}d", "abxd", Some(true)),
        ("é*a", "éxa", Some(true)),
        ("éa?", "éab", Some(true)),
        ("é?", "éx", Some(false)),
        ("?é", "éé", Some(false)),
        ("{é,a}x", "éx", Some(false)),
        ("\\*", "*", Some(true)),
        ("[\\]]", "]", Some(true)),
        ("\\", "", Some(true)),
        ("a\0b", "ab", Some(true)),
        ("a\u{fffd}", "a", None),
        ("a{}", "b", Some(false)),
        ("[!/]*", "a", Some(true)),
        ("a[!/][!/]", "abc", Some(true)),
        ("{a,{b,c}}", "c", Some(true)),
        ("*.{yaml,yml}", "x.yml", Some(true)),
        ("*{a,b}*", "xay", Some(true)),
        ("**{a,b}**", "xay", Some(true)),
        ("{**/,}a", "x/a", Some(false)),
        ("{**/,}a", "a", Some(false)),
    ];
    for (pattern, path, wanted) in cases {
        let found = Glob::compile(pattern).ok().map(|glob| glob.matches(path));
        assert_eq!(found, *wanted, "{pattern} {path}");
    }
}

#[test]
fn bounds_hostile_patterns() {
    let refused = |pattern: &str| Glob::compile(pattern).err();
    assert_eq!(refused(&"{".repeat(1_000_000)), Some(GlobError::TooComplex));
    assert_eq!(refused(&"{a,".repeat(40)), Some(GlobError::TooComplex));
    assert_eq!(refused(&"*a".repeat(1000)), Some(GlobError::TooComplex));
    assert_eq!(refused(&format!("{{{}}}", "ab*,".repeat(2000))), Some(GlobError::TooComplex));
    let glob = Glob::compile("{a*b,a*c}{a?,b?}".repeat(10));
    assert_eq!(glob.map(|glob| glob.matches("a".repeat(5000))), Ok(false));
}

/// Where the library panics, there is no match.
#[test]
fn survives_what_the_library_does_not() {
    assert_eq!(Glob::compile("a{}").map(|glob| glob.matches("a")), Ok(false));
}
