use super::*;

fn set(text: &str, path: &str, value: impl Into<Value>) -> String {
    let mut edits = Edits::new();
    edits.set(steps(path), value);
    apply(&edits, text)
}

fn steps(path: &str) -> Vec<Step> {
    let step = |part: &str| match part.parse::<usize>() {
        Ok(index) => Step::Index(index),
        Err(_) => Step::from(part),
    };
    path.split('/').map(step).collect()
}

/// Applies edits, and proves that they did what they should and would change nothing again.
fn apply(edits: &Edits, text: &str) -> String {
    let out = edits.apply(text.as_bytes()).unwrap();
    assert!(edits.is_right(text.as_bytes(), &out).unwrap(), "{}", String::from_utf8_lossy(&out));
    String::from_utf8(out).unwrap()
}

#[test]
fn entries_are_inserted_in_block_style() {
    for (before, path, after) in [
        // Where keys are sorted, so they stay; otherwise the end is the place.
        ("m:\n  a: 1\n  c: 2\n", "m/b", "m:\n  a: 1\n  b: v\n  c: 2\n"),
        ("m:\n  c: 1\n  a: 2\nz: 1\n", "m/b", "m:\n  c: 1\n  a: 2\n  b: v\nz: 1\n"),
        ("m:\n  a: 1 # one\n\n# end\n", "m/b", "m:\n  a: 1 # one\n  b: v\n\n# end\n"),
        ("m:\n  a: 1", "m/b", "m:\n  a: 1\n  b: v"),
        ("m:\n  a: 1\n...\n", "m/b", "m:\n  a: 1\n  b: v\n...\n"),
        ("m:\r\n  a: 1\r\n", "m/b", "m:\r\n  a: 1\r\n  b: v\r\n"),
        // Scalars that end with their lines.
        ("m:\n  a: |\n    x\n\nz: 1\n", "m/b", "m:\n  a: |\n    x\n\n  b: v\nz: 1\n"),
        ("m:\n  a: |+\n    x", "m/b", "m:\n  b: v\n  a: |+\n    x"),
        ("m:\n  a: 'x\n    y'\n", "m/b", "m:\n  a: 'x\n    y'\n  b: v\n"),
        // Comments stay with what they are about.
        ("m:\n  # c\n  c: 1\n", "m/b", "m:\n  b: v\n  # c\n  c: 1\n"),
        ("m: # m\n  c: 1\n", "m/b", "m: # m\n  b: v\n  c: 1\n"),
        (
            "m:\n  a: \"x\n  # no comment\"\n  c: 1\n",
            "m/b",
            "m:\n  a: \"x\n  # no comment\"\n  b: v\n  c: 1\n",
        ),
        // Items.
        ("- c: 1\n  d: 2\n- e: 1\n", "0/b", "- b: v\n  c: 1\n  d: 2\n- e: 1\n"),
        ("m:\n- - c: 1\n", "m/0/0/b", "m:\n- - b: v\n    c: 1\n"),
        ("- a: 1\n- c: 1\n", "0/b", "- a: 1\n  b: v\n- c: 1\n"),
        // What is missing on the way.
        ("m:\n    k:\n        a: 1\n", "m/x/z", "m:\n    k:\n        a: 1\n    x:\n      z: v\n"),
        ("m:\nz: 1\n", "m/b", "m:\n  b: v\nz: 1\n"),
        ("m: # none\nz: 1\n", "m/b", "m: # none\n  b: v\nz: 1\n"),
        ("m:", "m/b", "m:\n  b: v"),
        ("m: {}\nz: 1\n", "m/b", "m:\n  b: v\nz: 1\n"),
        ("m:\n    {}\nz: 1\n", "m/b", "m:\n  b: v\nz: 1\n"),
        ("m: {} # none\n", "m/b", "m: {\"b\":\"v\"} # none\n"),
        ("m: ~\n", "m/b", "m: {\"b\":\"v\"}\n"),
        ("- m: {}\n  z: 1\n", "0/m/b", "- m:\n    b: v\n  z: 1\n"),
        ("\u{feff}c: 1\n", "b", "\u{feff}b: v\nc: 1\n"),
        ("# top\nc: 1\n", "b", "# top\nb: v\nc: 1\n"),
        ("---\nc: 1\n", "b", "---\nb: v\nc: 1\n"),
    ] {
        assert_eq!(set(before, path, "v"), after, "{before:?}");
    }
}

#[test]
fn entries_are_inserted_in_flow_style() {
    for (before, path, after) in [
        ("m: {a: 1}\n", "m/b", "m: {b: v, a: 1}\n"),
        ("m: {\"a\": 1}\n", "m/b", "m: {\"b\": \"v\", \"a\": 1}\n"),
        ("{\"m\":{}}", "m/b", "{\"m\":{\"b\":\"v\"}}"),
        ("{}", "m/b", "{\"m\": {\"b\":\"v\"}}"),
        (
            "{\n  \"m\": {\n    \"c\": 1\n  }\n}\n",
            "m/b",
            "{\n  \"m\": {\n    \"b\": \"v\",\n    \"c\": 1\n  }\n}\n",
        ),
        ("{\r\n  \"m\": 1\r\n}", "b", "{\r\n  \"b\": \"v\",\r\n  \"m\": 1\r\n}"),
        ("m: { # c\n  a: 1 }\n", "m/b", "m: { # c\n  b: v,\n  a: 1 }\n"),
        ("m: !!map {}\n", "m/b", "m: {\"b\":\"v\"}\n"),
        ("[{a: }, {b}]", "0/a", "[{a: v}, {b}]"),
    ] {
        assert_eq!(set(before, path, "v"), after, "{before:?}");
    }
}

#[test]
fn values_are_replaced() {
    for (before, after) in [
        ("a: 1 # one\n", "a: v # one\n"),
        ("a: 'x'\nb: 1\n", "a: v\nb: 1\n"),
        ("a: |\n  x\n  y\nb: 1\n", "a: v\nb: 1\n"),
        ("a: |-\n  x", "a: v"),
        ("a:\nb: 1\n", "a: v\nb: 1\n"),
        ("a:\n- 1\n- 2\nb: 1\n", "a: v\nb: 1\n"),
        ("a:\n  x: 1\nb: 1\n", "a: v\nb: 1\n"),
        ("a: # c\n- 1\nb: 1\n", "a: v\nb: 1\n"),
        ("a: &x 1\nb: *x\n", "a: v\nb: 1\n"),
        ("a: 1\na: 2\n", "a: 1\na: v\n"),
        ("{\"a\": 1}", "{\"a\": \"v\"}"),
    ] {
        assert_eq!(set(before, "a", "v"), after, "{before:?}");
    }
    assert_eq!(set("a: 1\n", "a", "true"), "a: \"true\"\n");
    let edited = Edits::new().set(["a"], "x\ny: #\u{7f}").apply(b"a: 1\n").unwrap();
    assert_eq!(edited, b"a: \"x\\ny: #\\u007f\"\n");
    assert_eq!(set("n: 1\n", "n", "v"), "n: 1\n\"n\": v\n");
    assert_eq!(set("[{a: 1}]", "0/a", "x, y"), "[{a: \"x, y\"}]");
    assert_eq!(set("a: 1\n", "a", Value::int64(7)), "a: 7\n");
    assert_eq!(set("a: 1\n", "a", Value::list(vec![Value::Nil])), "a: [null]\n");
}

#[test]
fn aliases_keep_their_meaning() {
    for (before, path, after) in [
        ("m: &x\n  a: 1\np: *x\n", "m/b", "m: &x\n  a: 1\n  b: v\np: {\"a\":1}\n"),
        ("m: &x {a: 1}\np: {o: *x}\n", "m/b", "m: &x {b: v, a: 1}\np: {o: {\"a\":1}}\n"),
        ("m: &x {a: 1}\np: *x\n", "p/b", "m: &x {a: 1}\np: {<<: *x, b: v}\n"),
        ("m: &x {a: 1}\np:\n  <<: *x\n", "p/b", "m: &x {a: 1}\np:\n  <<: *x\n  b: v\n"),
        (
            "m: &x {a: {c: 1}}\np:\n  <<: *x\n",
            "p/a/b",
            "m: &x {a: {c: 1}}\np:\n  <<: *x\n  a:\n    b: v\n    c: 1\n",
        ),
        ("m: &x {a: &y 1}\np: *y\n", "m/b", "m: &x {b: v, a: &y 1}\np: *y\n"),
        ("m: &x\np: *x\n", "m/b", "m: {\"b\":\"v\"}\np: null\n"),
    ] {
        assert_eq!(set(before, path, "v"), after, "{before:?}");
    }
}

#[test]
fn odd_documents_are_written_anew() {
    for (before, path) in [
        ("? a\n: 1\n? c\n: 2\n", "b"),
        ("m:\n  a: 1\u{85}  c: 2\n", "m/b"),
        ("m: &x {a: 1}\np: &y {<<: *x}\no: {<<: *y}\n", "p/b"),
        ("a: 1\r  \rb: 2\r", "c"),
        ("m:\n  - &y {a: 1}\n  - *y\n", "m/1/b"),
        ("{? a : 1, b: 2}\n", "c"),
    ] {
        set(before, path, "v");
    }
}

#[test]
fn several_edits_are_made_at_once() {
    let mut edits = Edits::new();
    edits.set(["metadata", "labels", "b"], "2").set(["metadata", "labels", "a"], "1");
    edits.set(["metadata", "annotations", "x"], "y").set(["spec", "z"], "1");
    let text = "kind: A\nmetadata:\n  name: n\nspec:\n  a: 1\n";
    assert_eq!(
        apply(&edits, text),
        "kind: A\nmetadata:\n  annotations:\n    x: \"y\"\n  labels:\n    a: \"1\"\n    b: \"2\"\n  name: n\n\
         spec:\n  a: 1\n  z: \"1\"\n"
    );
    assert_eq!(apply(&edits, &apply(&edits, text)), apply(&edits, text));
    assert!(apply(&edits, "kind: A\n").contains("metadata:\n  annotations:\n"));
}

#[test]
fn wrong_paths_are_named() {
    for (text, path, error) in [
        ("a: x\n", "a/b", "a can't hold what is to be set there"),
        ("a: [1]\n", "a/1", "a.1 can't hold what is to be set there"),
        ("a: [1]\n", "a/b", "a.b can't hold what is to be set there"),
        ("a\n", "b", "the document is no mapping"),
        ("# nothing\n", "b", "the document is no mapping"),
    ] {
        let mut edits = Edits::new();
        edits.set(steps(path), "v");
        assert_eq!(edits.apply(text.as_bytes()).unwrap_err().to_string(), error, "{text}");
    }
}
