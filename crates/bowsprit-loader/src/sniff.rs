//! What kind of file this is, by its first bytes: Go's `http.DetectContentType`.
//!
//! Helm asks it of a file that should have been an archive, only to name the kind in its error.

/// Bytes that are looked at. Shorter files are looked at as if zeros followed, which is why short
/// texts are no texts.
pub(crate) const SNIFF_LEN: usize = 512;

const HTML: &str = "text/html; charset=utf-8";
const HTML_TAGS: &[&[u8]] = &[
    b"<!DOCTYPE HTML",
    b"<HTML",
    b"<HEAD",
    b"<SCRIPT",
    b"<IFRAME",
    b"<H1",
    b"<DIV",
    b"<FONT",
    b"<TABLE",
    b"<A",
    b"<STYLE",
    b"<TITLE",
    b"<B",
    b"<BODY",
    b"<BR",
    b"<P",
    b"<!--",
];

/// Pieces of a signature: where they stand, and what. All must match.
type Signature = (&'static [(usize, &'static [u8])], &'static str);

const BEFORE_MP4: &[Signature] = &[
    (&[(0, b"%PDF-")], "application/pdf"),
    (&[(0, b"%!PS-Adobe-")], "application/postscript"),
    (&[(0, b"\xfe\xff")], "text/plain; charset=utf-16be"),
    (&[(0, b"\xff\xfe")], "text/plain; charset=utf-16le"),
    (&[(0, b"\xef\xbb\xbf")], "text/plain; charset=utf-8"),
    (&[(0, b"\0\0\x01\0")], "image/x-icon"),
    (&[(0, b"\0\0\x02\0")], "image/x-icon"),
    (&[(0, b"BM")], "image/bmp"),
    (&[(0, b"GIF87a")], "image/gif"),
    (&[(0, b"GIF89a")], "image/gif"),
    (&[(0, b"RIFF"), (8, b"WEBPVP")], "image/webp"),
    (&[(0, b"\x89PNG\r\n\x1a\n")], "image/png"),
    (&[(0, b"\xff\xd8\xff")], "image/jpeg"),
    (&[(0, b"FORM"), (8, b"AIFF")], "audio/aiff"),
    (&[(0, b"ID3")], "audio/mpeg"),
    (&[(0, b"OggS\0")], "application/ogg"),
    (&[(0, b"MThd\0\0\0\x06")], "audio/midi"),
    (&[(0, b"RIFF"), (8, b"AVI ")], "video/avi"),
    (&[(0, b"RIFF"), (8, b"WAVE")], "audio/wave"),
];

const AFTER_MP4: &[Signature] = &[
    (&[(0, b"\x1a\x45\xdf\xa3")], "video/webm"),
    (&[(34, b"LP")], "application/vnd.ms-fontobject"),
    (&[(0, b"\0\x01\0\0")], "font/ttf"),
    (&[(0, b"OTTO")], "font/otf"),
    (&[(0, b"ttcf")], "font/collection"),
    (&[(0, b"wOFF")], "font/woff"),
    (&[(0, b"wOF2")], "font/woff2"),
    (&[(0, b"\x1f\x8b\x08")], "application/x-gzip"),
    (&[(0, b"PK\x03\x04")], "application/zip"),
    (&[(0, b"Rar!\x1a\x07\0")], "application/x-rar-compressed"),
    (&[(0, b"Rar!\x1a\x07\x01\0")], "application/x-rar-compressed"),
    (&[(0, b"\0asm")], "application/wasm"),
];

/// The kind of a file that begins with these bytes.
pub(crate) fn detect_content_type(head: &[u8; SNIFF_LEN]) -> &'static str {
    let blank = |b: &u8| matches!(b, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ');
    let start = head.iter().position(|b| !blank(b)).unwrap_or(SNIFF_LEN);
    let text = head.get(start..).unwrap_or_default();
    if HTML_TAGS.iter().any(|tag| is_tag(text, tag)) {
        return HTML;
    }
    if text.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    let found = find(BEFORE_MP4, head)
        .or_else(|| is_mp4(head).then_some("video/mp4"))
        .or_else(|| find(AFTER_MP4, head));
    found.unwrap_or_else(|| {
        let binary = |b: &u8| matches!(b, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
        if text.iter().any(binary) {
            "application/octet-stream"
        } else {
            "text/plain; charset=utf-8"
        }
    })
}

fn find(signatures: &[Signature], head: &[u8]) -> Option<&'static str> {
    let at = |at: usize, piece: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(piece));
    let matches = |pieces: &[(usize, &[u8])]| pieces.iter().all(|(start, piece)| at(*start, piece));
    signatures.iter().find(|(pieces, _)| matches(pieces)).map(|(_, kind)| *kind)
}

fn is_tag(text: &[u8], tag: &[u8]) -> bool {
    let Some((found, rest)) = text.split_at_checked(tag.len()) else { return false };
    // Go clears the bit of lower case where a letter is wanted, whatever stands there.
    let same = |(&want, &got): (&u8, &u8)| {
        want == if want.is_ascii_uppercase() { got & 0xdf } else { got }
    };
    matches!(rest.first(), Some(b' ' | b'>')) && tag.iter().zip(found).all(same)
}

fn is_mp4(head: &[u8; SNIFF_LEN]) -> bool {
    let [a, b, c, d, kind @ ..] = head;
    let size = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
    if size > SNIFF_LEN || !size.is_multiple_of(4) || !kind.starts_with(b"ftyp") {
        return false;
    }
    // The word at 12 is a version.
    let mut brands = (8..size).step_by(4).filter(|at| *at != 12);
    brands.any(|at| head.get(at..at + 3) == Some(b"mp4"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        let long = [b'a'; SNIFF_LEN];
        for (text, want) in [
            (&b""[..], "application/octet-stream"),
            (b"a: 1\n", "application/octet-stream"),
            (&long, "text/plain; charset=utf-8"),
            (b" \n<html>", HTML),
            (b"<a href", HTML),
            (b"<ab", "application/octet-stream"),
            (b"<!doctype html>", HTML),
            (b" <?xml", "text/xml; charset=utf-8"),
            (b"PK\x03\x04", "application/zip"),
            (b"\xef\xbb\xbfa", "text/plain; charset=utf-8"),
            (b"\0\0\0\x18ftypmp42", "video/mp4"),
            (b"\0\0\0\x10ftypisom", "application/octet-stream"),
            (b"RIFFxxxxWAVE", "audio/wave"),
            (b"\x1f\x8b\x08", "application/x-gzip"),
            (b"\x89PNG\r\n\x1a\n", "image/png"),
        ] {
            let mut head = [0; SNIFF_LEN];
            head[..text.len()].copy_from_slice(text);
            assert_eq!(detect_content_type(&head), want, "{}", text.escape_ascii());
        }
    }
}
