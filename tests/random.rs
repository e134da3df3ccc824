//! What differs from render to render has a shape, and differs.

use std::collections::BTreeMap;
use std::process::Command;

use bowsprit_testkit::repository;

use crate::program::program;

/// The lines `key: value` of the chart `random`, rendered once.
fn render() -> BTreeMap<String, String> {
    let output = Command::new(program())
        .args(["template", "demo", "fixtures/charts/random"])
        .current_dir(repository())
        .output()
        .expect("the program starts");
    let text = String::from_utf8(output.stdout).expect("the chart prints ASCII");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    text.lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(key, value)| (key.to_string(), value.trim_matches('"').to_string()))
        .collect()
}

fn all(value: &str, length: usize, allowed: fn(&char) -> bool) -> bool {
    value.len() == length && value.chars().all(|c| allowed(&c))
}

#[test]
fn random_text_has_its_alphabet_and_length() {
    let got = render();
    assert!(all(&got["alpha"], 12, char::is_ascii_alphabetic), "{}", got["alpha"]);
    assert!(all(&got["numeric"], 9, char::is_ascii_digit), "{}", got["numeric"]);
    assert!(all(&got["alphaNum"], 40, char::is_ascii_alphanumeric), "{}", got["alphaNum"]);
    // 33 and 16 bytes in base64.
    assert_eq!(got["ascii"].len(), 44, "{}", got["ascii"]);
    assert_eq!(got["bytes"].len(), 24, "{}", got["bytes"]);
    assert!(["5", "6", "7"].contains(&got["int"].as_str()), "{}", got["int"]);
    assert_eq!(got["shuffled"], "abcdef");
    assert_eq!(got["again"], "false");

    let parts: Vec<&str> = got["uuid"].split('-').collect();
    assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    assert!(parts[2].starts_with('4'), "a version 4: {}", got["uuid"]);
}

#[test]
fn the_clock_runs() {
    let got = render();
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let seen: u64 = got["unix"].parse().expect("seconds");
    assert!(now.abs_diff(seen) < 60, "{seen} is not {now}");
    let year: u64 = got["year"].parse().expect("a year");
    assert!((2025..2200).contains(&year), "{year}");
    assert_eq!(got["ago"], "0s");
}

#[test]
fn secrets_have_their_formats() {
    let got = render();
    assert!(got["bcrypt"].starts_with("$2a$10$"), "{}", got["bcrypt"]);
    assert_eq!(got["bcrypt"].len(), 60);
    assert!(got["htpasswd"].starts_with("user:$2a$"), "{}", got["htpasswd"]);
    assert_eq!(got["encrypted"], "plain text");
    assert_eq!(got["rsa"], "-----BEGIN RSA PRIVATE KEY-----");
    assert_eq!(got["ecdsa"], "-----BEGIN EC PRIVATE KEY-----");
    assert_eq!(got["ed25519"], "-----BEGIN PRIVATE KEY-----");
    assert_eq!(got["ca"], "-----BEGIN CERTIFICATE-----");
    assert_eq!(got["caKey"], "-----BEGIN RSA PRIVATE KEY-----");
    assert_eq!(got["cert"], "-----END CERTIFICATE-----");
    assert_eq!(got["certKey"], "-----END RSA PRIVATE KEY-----");
    // "-----BEGIN CERTIF" in base64.
    assert_eq!(got["self"], "LS0tLS1CRUdJTiBDRVJUSUZJ");
    assert_eq!(got["derived"], "ZedaFaxcZaso9*");
}

#[test]
fn renders_differ() {
    let (one, two) = (render(), render());
    for key in ["alpha", "alphaNum", "bytes", "uuid", "bcrypt"] {
        assert_ne!(one[key], two[key], "{key}");
    }
}
