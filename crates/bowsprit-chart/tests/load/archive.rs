use crate::tar::{chart, end, file, gzip, header, padded, pax, tgz};
use bowsprit_chart::{ArchiveErrorKind, ArchiveLimits, load_archive_files};

/// The files as `name=content`, or the error.
fn read(archive: &[u8]) -> String {
    match load_archive_files(archive, &ArchiveLimits::default()) {
        Ok(files) => files
            .iter()
            .map(|f| format!("{}={}", f.name.to_string_lossy(), String::from_utf8_lossy(&f.data)))
            .collect::<Vec<_>>()
            .join(" "),
        Err(error) => error.to_string(),
    }
}

#[test]
fn names() {
    let absolute = "chart illegally contains absolute paths";
    let outside =
        |name| format!("chart illegally contains content outside the base directory: {name:?}");
    let parent = "chart illegally references parent directory";
    let illegal = "chart contains illegally named files";
    for (name, want) in [
        ("c/f", "f=x".to_owned()),
        ("other/f", "f=x".into()),
        ("./a/b", "a/b=x".into()),
        ("c/./q", "q=x".into()),
        ("c/a/../z", "z=x".into()),
        ("c/a/", "a=x".into()),
        ("/abs/x", "abs/x=x".into()),
        ("c\\a\\b", "a/b=x".into()),
        ("c/a\\b", "b=x".into()),
        ("c\\a/b", "a/b=x".into()),
        ("c//abs", absolute.into()),
        ("x", outside("x")),
        ("Chart.yaml", outside("Chart.yaml")),
        ("c/", outside("c/")),
        ("c/..", parent.into()),
        ("c/../z", parent.into()),
        ("c/..x", parent.into()),
        ("c\\..\\..\\x", parent.into()),
        ("c/C:/x", illegal.into()),
        ("c\\C:\\x", illegal.into()),
        ("Chart.yaml/a", "chart yaml not in base directory".into()),
    ] {
        assert_eq!(read(&tgz(&[file(name, b"x")])), want, "{name}");
    }
}

#[test]
fn names_need_not_be_text() {
    let archive = tgz(&[[header(b"c/\xff", 1, b'0', |_| {}), padded(b"x")].concat()]);
    let files = load_archive_files(&archive, &ArchiveLimits::default()).unwrap();
    assert_eq!(files[0].name.as_bytes(), b"\xff");
}

#[test]
fn kinds_of_entries() {
    let special = |flag| header(b"c/s", 0, flag, |_| {});
    for (entries, want) in [
        (vec![special(b'1'), special(b'2'), special(b'3')], "s= s= s="),
        (vec![special(b'5'), file("c/f", b"x")], "f=x"),
        // Directories of old archives: a slash, or the kind in the mode.
        (vec![header(b"c/d/", 0, 0, |_| {}), file("c/f", b"x")], "f=x"),
        (
            vec![
                header(b"c/d", 1, b'0', |b| b[100..108].copy_from_slice(b"0040755\0")),
                padded(b"y"),
                file("c/f", b"x"),
            ],
            "f=x",
        ),
        (vec![pax(b'g', &[("path", "c/../../z")]), file("c/f", b"x")], "f=x"),
        (
            vec![pax(b'x', &[("path", "c/../../z")]), file("c/f", b"x")],
            "chart illegally references parent directory",
        ),
        (vec![pax(b'x', &[("path", "c/long")]), file("c/f", b"x")], "long=x"),
        (vec![file("c/f", b"\xef\xbb\xbfx"), file("c/f", b"y")], "f=x f=y"),
        (vec![], "no files in chart archive"),
        (vec![special(b'5')], "no files in chart archive"),
        (vec![header(b"x", 7, b'L', |_| {}), padded(b"c/long\0"), file("c/f", b"x")], "long=x"),
        (
            vec![header(b"c/l", 9, b'2', |_| {})],
            "decompressed chart is larger than the maximum size 104857600",
        ),
        (vec![pax(b'x', &[("size", "x")]), file("c/f", b"x")], "archive/tar: invalid tar header"),
    ] {
        assert_eq!(read(&tgz(&entries)), want);
    }
}

#[test]
fn sparse_files() {
    let map = |map: &str, size: &str| {
        pax(
            b'x',
            &[
                ("GNU.sparse.major", "0"),
                ("GNU.sparse.minor", "1"),
                ("GNU.sparse.numblocks", "2"),
                ("GNU.sparse.map", map),
                ("GNU.sparse.size", size),
            ],
        )
    };
    for (map, want) in [
        (map("1,2,4,1", "6"), "s=\0ab\0c\0"),
        (map("1,2,4,1", "4"), "archive/tar: invalid tar header"),
        (map("1,2,4,2", "6"), "archive/tar: sparse file references non-existent data"),
        (map("1,1,4,1", "6"), "archive/tar: sparse file contains unreferenced data"),
    ] {
        assert_eq!(read(&tgz(&[map, file("c/s", b"abc")])), want);
    }
}

#[test]
fn sizes() {
    const MAX: usize = 5 << 20;
    let zeros = |count: usize| vec![0; count];
    assert!(read(&tgz(&[file("c/f", &zeros(MAX))])).starts_with("f="));
    assert_eq!(
        read(&tgz(&[file("c/big", &zeros(MAX + 1))])),
        "decompressed chart file \"c/big\" is larger than the maximum file size 5242880"
    );
    let twenty: Vec<_> = (0..20).map(|i| file(&format!("c/{i}"), &zeros(MAX))).collect();
    let total = "decompressed chart is larger than the maximum size 104857600";
    assert_eq!(read(&tgz(&twenty)), total);
    assert_eq!(read(&tgz(&[header(b"c/x", 8_000_000_000, b'0', |_| {})])), total);
}

#[test]
fn gzip_streams() {
    let tar = [file("c/f", b"x"), end()].concat();
    let good = gzip(&tar);
    let (first, second) = tar.split_at(700);
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for (archive, want) in [
        (&b""[..], "EOF"),
        (b"\x1f\x8b\x08", "unexpected EOF"),
        (b"not gzip at all", "gzip: invalid header"),
        (&good[..60], "unexpected EOF"),
        (&[gzip(first), gzip(second)].concat(), "f=x"),
        // Nothing after the two zero blocks is ever looked at.
        (&[&good[..], b"junk"].concat(), "f=x"),
        (&flipped, "f=x"),
        (&gzip(&tar[..1024]), "f=x"),
        (&gzip(&tar[..513]), "f=x"),
        (&gzip(&tar[..512]), "unexpected EOF"),
        (&gzip(&tar[..1100]), "unexpected EOF"),
        (&gzip(&[&tar[..1536], b"x", &tar[..511]].concat()), "archive/tar: invalid tar header"),
        (&[gzip(&tar[..1024]), b"junkjunkjunk".to_vec()].concat(), "gzip: invalid header"),
    ] {
        assert_eq!(read(archive), want, "{}", archive.escape_ascii());
    }
    let mut wrong = gzip(&tar[..1024]);
    *wrong.last_mut().unwrap() ^= 1;
    assert_eq!(read(&wrong), "gzip: invalid checksum");
}

#[test]
fn broken_deflate_streams_are_broken_where_go_says() {
    let head = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
    for (stream, want) in [
        // A block type that does not exist, a stored block with a wrong length.
        (&b"\x07"[..], "flate: corrupt input before offset 1"),
        (b"\x01\x05\0\0\0hello", "flate: corrupt input before offset 5"),
        // A distance before the beginning.
        (b"\x4b\x04\xff\xff", "flate: corrupt input before offset 3"),
        (b"\x05\xc0\x81\0\0\0\0", "unexpected EOF"),
        (b"", "unexpected EOF"),
    ] {
        assert_eq!(read(&[head, stream].concat()), want, "{}", stream.escape_ascii());
    }
}

#[test]
fn guards() {
    let kind = |archive: &[u8], change: fn(&mut ArchiveLimits)| {
        let mut limits = ArchiveLimits::default();
        change(&mut limits);
        let error = load_archive_files(archive, &limits).unwrap_err();
        assert!(error.kind().is_limit());
        error.kind().clone()
    };
    let files: Vec<_> = (0..50).map(|i| file(&format!("c/{i}"), b"")).collect();
    assert_eq!(kind(&tgz(&files), |l| l.entries = 49), ArchiveErrorKind::Entries(49));
    let zeros = chart(&[("a", &vec![0; 4 << 20])]);
    assert_eq!(kind(&zeros, |l| l.inflated = 1 << 20), ArchiveErrorKind::Inflated(1 << 20));
    assert_eq!(kind(&zeros, |l| l.ratio = Some(100)), ArchiveErrorKind::Ratio(100));
    assert!(load_archive_files(&zeros, &ArchiveLimits::default()).is_ok());
    assert!(load_archive_files(&tgz(&files), &ArchiveLimits::strict()).is_ok());
}
