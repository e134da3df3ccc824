//! What is skimmed over is what the parser takes.

use bowsprit_testkit::Numbers;
use bowsprit_yaml::{Document, Skimmed, skim};

/// What plain documents are made of, what is not so plain, and what is wrong.
const PIECES: &[&str] = &[
    "a: b\n",
    "b:\n",
    "  c: d\n",
    "  c:\n",
    "    d: 1\n",
    "- e\n",
    "  - e: f\n",
    "    g: h\n",
    "  - - i\n",
    "  text: |\n",
    "    some: words\n",
    "\n",
    "  # comment\n",
    // Anchors and aliases.
    "  c: &x d\n",
    "  c: &x\n",
    "b: &x\n",
    "b: &y # comment\n",
    "  d: &y {a: b, c: [d, e]}\n",
    "  c: *x\n",
    "b: *x\n",
    "b: *y # comment\n",
    "  - *x\n",
    "- *y\n",
    "  - g: *x\n",
    "  - &x a: b\n",
    "  - &y\n",
    "  c: &x *y\n",
    "  *x : a\n",
    "  *x\n",
    "  &x a: b\n",
    "  <<: *x\n",
    "  c: &x-1 |\n",
    "  c: *x-1\n",
    "  c: *x d\n",
    "  c: &x: d\n",
    "  c: *z\n",
    // Texts that say how far they are indented.
    "  text: |2\n",
    "  text: >1-\n",
    "  text: |-2 # comment\n",
    "  text: |+3\n",
    "  text: |0\n",
    "  text: |2-+\n",
    "  text: |--\n",
    "  - |1\n",
    "  - >2+\n",
    "text: |9\n",
    "           far in\n",
    "   in\n",
    "      \n",
    "    \tx\n",
    // Escapes.
    "  c: \"d \\  e\\n \\\"f\n",
    "     \\ g\\x41\\u00e9\"\n",
    "  c: \"\\ud800\"\n",
    "  c: \"\\x4\"\n",
    "  c: \"\\0\\a\\b\\e\\N\\_\\L\\P\\'\"\n",
    "  c: \"\\/\"\n",
    "  c: \"\\q\"\n",
    "  c: \"\\U0001F600\"\n",
    "  \"c\\ d\": e\n",
    // Colons and question marks where words begin, blanks before colons.
    "  c: :d\n",
    "  c: ::\n",
    "  c: ?d\n",
    "  c: ? d\n",
    "  c: :\n",
    "  - :e\n",
    "  - :e: f\n",
    "  :c: d\n",
    "  c : d\n",
    "  c  :\n",
    "  \"c\" : d\n",
    "  'c' :\n",
    "  c :d\n",
    "  true : d\n",
    "    :e\n",
    // Flow collections over several lines.
    "  c: [d,\n",
    "      e, 'f'\n",
    "  g]\n",
    "  ]\n",
    "],\n",
    "  c: {d: e, # comment\n",
    "    f: \"g\n",
    "    \", h: [\n",
    "]}\n",
    "}\n",
    "  c: [\n",
    "    # comment\n",
    "    d ,\n",
    "    e: f,\n",
    "    {\"g\": h}]\n",
    "    \"i\n",
    "   j\": k }\n",
    "  - [a,\n",
    "  - {a:\n",
    "--- a\n",
    "...\n",
    "---",
    "-",
    "x",
    ": ",
    " ",
    "'",
    "\"",
    "#",
    "&",
    "*",
    "\\",
];

/// What documents may begin with.
const STARTS: &[&str] = &[
    "---\n",
    "--- # comment\n",
    "---  \n",
    "---",
    "# comment\n---\n",
    "\n  # comment\n\n---\n",
    " ---\n",
    "---\n---\n",
    "--- a: b\n",
    "---#\n",
    "%YAML 1.1\n---\n",
    "- a\n---\n",
    "...\n---\n",
];

type Entries = Vec<(usize, Vec<u8>, Option<Vec<u8>>)>;

/// The entries of the root's mappings, with those values that are strings.
fn told(text: &[u8]) -> Option<Entries> {
    let mut entries = Vec::new();
    let plain = skim(text, |level, key, value| {
        let value = match value {
            Skimmed::Text(text) | Skimmed::Quoted(text) => Some(text.to_vec()),
            _ => None,
        };
        entries.push((level, key.to_vec(), value));
    });
    plain.then_some(entries)
}

/// Whether a text is skimmed; then the parser has to take it too, and to find the same in it.
fn check(text: &[u8]) -> bool {
    let Some(entries) = told(text) else { return false };
    let shown = String::from_utf8_lossy(text);
    let document = Document::parse(text).unwrap_or_else(|error| panic!("{error}\n{shown}"));
    document.check_json().unwrap_or_else(|error| panic!("{error}\n{shown}"));
    let mut path: Vec<Vec<u8>> = Vec::new();
    for (at, (level, key, value)) in entries.iter().enumerate() {
        path.truncate(*level);
        path.push(key.clone());
        // Of equal keys the last one counts, with all that is below it.
        let again = |(later, name, _): &(usize, Vec<u8>, _)| {
            later <= level && path.get(*later) == Some(name)
        };
        if entries[at + 1..].iter().any(again) {
            continue;
        }
        let found = path.iter().try_fold(document.root(), |node, key| node.get(key));
        let found = found.unwrap_or_else(|| panic!("{path:?} is not there\n{shown}"));
        if let Some(value) = value {
            assert_eq!(found.as_string_target().as_deref(), Some(&value[..]), "{path:?}\n{shown}");
        }
    }
    true
}

#[test]
fn what_is_skimmed_is_what_is_parsed() {
    let mut numbers = Numbers::new(11);
    let mut skimmed = 0;
    for _ in 0..100_000 {
        let mut text = String::new();
        if numbers.below(8) == 0 {
            text.push_str(STARTS[numbers.below(STARTS.len())]);
        }
        // A part of the pieces at a time, so that those meet that belong together.
        let (first, some) = (numbers.below(PIECES.len()), 4 + numbers.below(24));
        for _ in 0..=numbers.below(9) {
            let at =
                if numbers.below(3) == 0 { numbers.below(13) } else { first + numbers.below(some) };
            text.push_str(PIECES[at % PIECES.len()]);
        }
        let mut text = text.into_bytes();
        if numbers.below(4) == 0 {
            numbers.damage(&mut text, b" \n:-#'\"|[]{},\tx&*\\?");
        }
        skimmed += usize::from(check(&text));
    }
    assert!(skimmed > 8_000, "{skimmed}");
}

#[test]
fn what_definitions_are_made_of_is_skimmed() {
    let texts = [
        "spec:\n  stop: &Bool\n    type: string\n    enum:\n    - \"yes\"\n    - *one\n",
        "spec:\n  stop: &Bool\n    type: string\n    enum:\n    # both\n    - \"yes\"\n  start: *Bool\n  list:\n  \
         - *Bool\n  - x: &Other-1 y\n    z: *Other-1 # here\n",
        "spec:\n  description: |2-\n\n\n    one\n     two\n  next: >-1\n   x\n",
        "spec:\n  description: \"one\\n\n    \\  two\\u00e9\\_\"\n  record: :a:b\n  name : b\n  \"x\" : y\n",
        "# one\n\n--- # two\n# three\na:\n- b\n",
        "args: [a, # one\n  \"b\n  c\", {d: e,\n\n f: [\n]}\n]\nnext: {\n}\n",
    ];
    let skimmed: Vec<bool> = texts.iter().map(|text| check(text.as_bytes())).collect();
    assert_eq!(skimmed, [false, true, true, true, true, true]);
}

#[test]
fn aliases_may_not_multiply() {
    let with = |levels: usize, each: usize| {
        let mut text = String::from("a0: &a0 x\n");
        for level in 1..=levels {
            let aliases = format!("- *a{}\n", level - 1).repeat(each);
            text.push_str(&format!("a{level}: &a{level}\n{aliases}"));
        }
        text
    };
    assert!(check(with(2, 3).as_bytes()));
    for (levels, each) in [(1, 200), (2, 20), (2, 60), (3, 12), (4, 5), (4, 9), (9, 9), (60, 2)] {
        check(with(levels, each).as_bytes());
    }
    assert!(!check(with(9, 9).as_bytes()));
}
