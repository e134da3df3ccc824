//! The framework for signed text that stays readable (RFC 9580, section 7), framed as Go's `clearsign`
//! frames it.

const START: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const END: &str = "-----END PGP SIGNATURE-----";
const HASHES: &[&str] =
    &["SHA224", "SHA256", "SHA384", "SHA512", "SHA3-256", "SHA3-512", "SHA1", "RIPEMD160", "MD5"];

/// A signed message, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// What was signed, with `\n` for the line breaks that are `\r\n` under the signature.
    pub(super) text: String,
    /// The armored signature.
    pub(super) signature: String,
}

/// Finds the first signed message; what stands around it is ignored.
pub(super) fn decode(data: &str) -> Option<Block> {
    let mut lines = data.split_inclusive('\n').map(|line| (line, content(line)));
    lines.find(|(_, line)| *line == START)?;
    loop {
        let (_, line) = lines.next()?;
        if line.trim().is_empty() {
            break;
        }
        check_header(line)?;
    }
    let mut text = Vec::new();
    loop {
        let (_, line) = lines.next()?;
        if line == SIGNATURE {
            break;
        }
        let line = line.strip_prefix("- ").unwrap_or(line);
        text.push(line.trim_end_matches([' ', '\t']));
    }
    let mut signature = format!("{SIGNATURE}\n");
    loop {
        let (raw, line) = lines.next()?;
        signature.push_str(raw);
        if line == END {
            return Some(Block { text: text.join("\n"), signature });
        }
    }
}

/// A line without its end.
fn content(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

/// Only the hashes may be named.
fn check_header(line: &str) -> Option<()> {
    let (key, values) = line.split_once(':')?;
    let known = |value: &str| HASHES.contains(&value.trim().to_ascii_uppercase().as_str());
    (key.trim() == "Hash" && values.split(',').all(known)).then_some(())
}

/// What is signed of a text: blanks at the ends of lines do not count.
pub(super) fn signed_text(text: &str) -> String {
    let lines: Vec<&str> =
        text.split('\n').map(|line| line.trim_end_matches([' ', '\t', '\r'])).collect();
    lines.join("\r\n")
}

/// Frames a text with its signature. The file does not end in a line break.
pub(super) fn encode(text: &str, hash: &str, signature: &str) -> String {
    let mut out = format!("{START}\nHash: {hash}\n\n");
    for line in text.split('\n') {
        if line.starts_with('-') {
            out.push_str("- ");
        }
        out.push_str(line);
        out.push('\n');
    }
    out.push_str(signature.trim_end());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back() {
        let text = "a: 1 \n- b\n-----BEGIN PGP SIGNATURE-----\n\n...\nc";
        let armor = format!("{SIGNATURE}\n\nabc\n{END}");
        let block = decode(&encode(text, "SHA512", &armor)).unwrap();
        assert_eq!(block.text.replace('\n', "\r\n"), signed_text(text));
        assert_eq!(block.signature.trim_end(), armor);
        let around = format!("x\r\n{}\nrest", encode(text, "SHA512", &armor).replace('\n', "\r\n"));
        assert_eq!(decode(&around).unwrap().text, block.text);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for data in [
            "",
            START,
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\na",
            "-----BEGIN PGP SIGNED MESSAGE-----\nComment: x\n\na\n-----BEGIN PGP SIGNATURE-----\n-----END PGP SIGNATURE-----",
            "-----BEGIN PGP SIGNED MESSAGE-----x\n\na\n-----BEGIN PGP SIGNATURE-----\n-----END PGP SIGNATURE-----",
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA999\n\na\n-----BEGIN PGP SIGNATURE-----\n-----END PGP SIGNATURE-----",
            "-----BEGIN PGP SIGNED MESSAGE-----\n\na\n-----BEGIN PGP SIGNATURE-----\nabc",
        ] {
            assert_eq!(decode(data), None, "{data}");
        }
    }
}
