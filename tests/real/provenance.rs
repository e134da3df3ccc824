//! Signatures of Helm, GnuPG and ours, verified by each other.

#![allow(clippy::unwrap_used)]

use crate::packages::{Folder, same, write_chart};
use crate::program;
use crate::tools::tool;
use std::fs;
use std::path::Path;

const ARCHIVE: &str = "web-1.2.3+b1.tgz";
const PASSPHRASE: &str = "secret";

/// Debian's GnuPG.
fn gpg(folder: &Folder, args: &[&str]) -> String {
    let program = tool("gpg").expect("Helm is there, so that BOWSPRIT_TOOLS is set");
    let quiet = ["--batch", "--quiet", "--yes", "--pinentry-mode", "loopback", "--passphrase"];
    let args = [&quiet[..], &[PASSPHRASE], args].concat();
    folder.ok(&program, &args)
}

/// A folder with keys of several kinds, and a chart.
fn folder_with_keys(name: &str) -> Folder {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new(name);
    let home = folder.path("gpg");
    fs::create_dir_all(&home).unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    gpg(&folder, &["--quick-gen-key", "Rsa <rsa@example.com>", "rsa2048", "sign", "0"]);
    gpg(&folder, &["--quick-gen-key", "Ed <ed@example.com>", "ed25519", "sign", "0"]);
    export(&folder);
    write_chart(&folder);
    folder
}

fn export(folder: &Folder) {
    gpg(folder, &["--output", "pub.gpg", "--export"]);
    gpg(folder, &["--output", "sec.gpg", "--export-secret-keys"]);
    folder.write("pass", PASSPHRASE);
}

fn sign(folder: &Folder, program: &Path, key: &str, dir: &str) -> String {
    folder.ok(
        program,
        &[
            "package",
            "web",
            "-d",
            dir,
            "--sign",
            "--key",
            key,
            "--keyring",
            "sec.gpg",
            "--passphrase-file",
            "pass",
        ],
    );
    format!("{dir}/{ARCHIVE}")
}

#[test]
fn each_accepts_what_the_others_sign() {
    let Some(helm) = tool("helm") else { return };
    let folder = folder_with_keys("signed");
    for (key, dir) in [("Rsa", "r"), ("Ed <ed@example.com>", "e")] {
        let theirs = sign(&folder, &helm, key, &format!("{dir}-helm"));
        let ours = sign(&folder, program::program(), key, &format!("{dir}-bowsprit"));
        for archive in [&theirs, &ours] {
            let verified = same(&folder, &helm, &["verify", archive, "--keyring", "pub.gpg"]);
            assert!(verified.starts_with("Signed by: "), "{verified}");
        }
        // GnuPG itself, which wants a line to end.
        let text = fs::read_to_string(folder.path(&format!("{ours}.prov"))).unwrap();
        folder.write("signed", &(text + "\n"));
        gpg(&folder, &["--verify", "signed"]);
        // All but the signature and the hash of the archive is the same text.
        let text = |archive: &str| {
            let text = fs::read_to_string(folder.path(&format!("{archive}.prov"))).unwrap();
            let cut = text.find("sha256:").unwrap();
            text[..cut].to_owned()
        };
        assert_eq!(text(&ours), text(&theirs));
        // What gpg signs.
        let signed = fs::read_to_string(folder.path(&format!("{ours}.prov"))).unwrap();
        let body = signed.split("\n\n").skip(1).collect::<Vec<_>>().join("\n\n");
        let body = body.split("-----BEGIN PGP SIGNATURE").next().unwrap().to_owned();
        folder.write("message", &body);
        let output = format!("{ours}.prov");
        gpg(&folder, &["-u", "rsa@example.com", "--output", &output, "--clearsign", "message"]);
        same(&folder, &helm, &["verify", &ours, "--keyring", "pub.gpg"]);
    }
}

#[test]
fn what_is_wrong_is_refused_with_helms_words() {
    let Some(helm) = tool("helm") else { return };
    let folder = folder_with_keys("refused-signatures");
    let archive = sign(&folder, &helm, "Rsa", "s");
    let refused = |archive: &str, keyring: &str, want: &str| {
        let said = same(&folder, &helm, &["verify", archive, "--keyring", keyring]);
        assert!(said.contains(want), "{said}");
    };
    let provenance = format!("{archive}.prov");
    let original = fs::read_to_string(folder.path(&provenance)).unwrap();
    refused(&archive, "nosuch.gpg", "failed to load keyring");
    folder.write("empty.gpg", "");
    refused(&archive, "empty.gpg", "made by unknown entity");
    gpg(&folder, &["--output", "ed.gpg", "--export", "ed@example.com"]);
    refused(&archive, "ed.gpg", "made by unknown entity");
    folder.write(&provenance, &original.replace("Serves things", "Serves thongs"));
    refused(&archive, "pub.gpg", "RSA verification failure");
    folder.write(&provenance, "nothing signed\n");
    refused(&archive, "pub.gpg", "signature block not found");
    folder.write(&provenance, "");
    refused(&archive, "pub.gpg", "signature block not found");
    for (message, want) in [
        ("name: web\n", "message block must have at least two parts"),
        ("name: web\n...\nfiles: {other.tgz: x}\n", "does not contain a SHA"),
    ] {
        folder.write("message", message);
        let args = ["-u", "rsa@example.com", "--output", &provenance, "--clearsign", "message"];
        gpg(&folder, &args);
        refused(&archive, "pub.gpg", want);
    }
    fs::copy(folder.path(&archive), folder.path("s/other.tgz")).unwrap();
    refused("s/other.tgz", "pub.gpg", "could not load provenance file");
    folder.write("s/other.tgz.prov", &original);
    refused("s/other.tgz", "pub.gpg", "does not contain a SHA");
    folder.write(&provenance, &original);
    let mut bytes = fs::read(folder.path(&archive)).unwrap();
    bytes.push(0);
    fs::write(folder.path(&archive), bytes).unwrap();
    refused(&archive, "pub.gpg", "sha256 sum does not match");
}

#[test]
fn keys_that_have_ended_and_subkeys() {
    let Some(helm) = tool("helm") else { return };
    let folder = folder_with_keys("ended");
    gpg(&folder, &["--quick-gen-key", "Old <old@example.com>", "rsa2048", "sign", "seconds=4"]);
    gpg(&folder, &["--quick-gen-key", "Gone <gone@example.com>", "rsa2048", "sign", "0"]);
    gpg(&folder, &["--quick-gen-key", "Sub <sub@example.com>", "ed25519", "cert", "0"]);
    let print = |who: &str| {
        let listed = gpg(&folder, &["--with-colons", "--list-keys", who]);
        let line = listed.lines().find(|line| line.starts_with("fpr")).unwrap().to_owned();
        line.split(':').nth(9).unwrap().to_owned()
    };
    gpg(&folder, &["--quick-add-key", &print("sub@example.com"), "rsa2048", "sign", "0"]);
    export(&folder);
    let old = sign(&folder, &helm, "Old", "old");
    let gone = sign(&folder, program::program(), "Gone", "gone");
    let revocation = format!("gpg/openpgp-revocs.d/{}.rev", print("gone@example.com"));
    let text = fs::read_to_string(folder.path(&revocation)).unwrap().replace(":-----", "-----");
    folder.write("revocation", &text);
    gpg(&folder, &["--import", "revocation"]);
    std::thread::sleep(std::time::Duration::from_secs(5));
    gpg(&folder, &["--output", "now.gpg", "--export"]);
    for (archive, want) in [(&old, "key expired"), (&gone, "made by revoked key")] {
        let said = same(&folder, &helm, &["verify", archive, "--keyring", "now.gpg"]);
        assert!(said.contains(want), "{said}");
    }
    let archive = sign(&folder, program::program(), "Rsa", "sub");
    let signed = fs::read_to_string(folder.path(&format!("{archive}.prov"))).unwrap();
    let body = signed.split_once("\n\n").unwrap().1;
    folder.write("message", body.split("-----BEGIN").next().unwrap());
    let output = format!("{archive}.prov");
    gpg(&folder, &["-u", "sub@example.com", "--output", &output, "--clearsign", "message"]);
    let said = same(&folder, &helm, &["verify", &archive, "--keyring", "now.gpg"]);
    assert!(said.starts_with("Signed by: Sub <sub@example.com>\n"), "{said}");
    // GnuPG's old format of rings, with its notes about trust between the keys.
    let ring = format!("gnupg-ring:{}", folder.path("old-ring.gpg").display());
    gpg(&folder, &["--no-default-keyring", "--keyring", &ring, "--import", "now.gpg"]);
    same(&folder, &helm, &["verify", &archive, "--keyring", "old-ring.gpg"]);
}

/// Stricter than Helm, on purpose.
#[test]
fn broken_hashes_are_refused_and_armored_rings_read() {
    let Some(helm) = tool("helm") else { return };
    let folder = folder_with_keys("weak");
    let archive = sign(&folder, &helm, "Rsa", "s");
    gpg(&folder, &["--armor", "--output", "pub.asc", "--export"]);
    folder.ok(program::program(), &["verify", &archive, "--keyring", "pub.asc"]);
    let signed = fs::read_to_string(folder.path(&format!("{archive}.prov"))).unwrap();
    let body = signed.split_once("\n\n").unwrap().1;
    folder.write("message", body.split("-----BEGIN").next().unwrap());
    let output = format!("{archive}.prov");
    let sha1 = ["-u", "rsa@example.com", "--digest-algo", "SHA1", "--output", &output];
    gpg(&folder, &[&sha1[..], &["--clearsign", "message"]].concat());
    folder.ok(&helm, &["verify", &archive, "--keyring", "pub.gpg"]);
    let refused = folder.run(program::program(), &["verify", &archive, "--keyring", "pub.gpg"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(said, "Error: openpgp: weak algorithms are rejected: SHA1\n");
    let keybox =
        folder.run(program::program(), &["verify", &archive, "--keyring", "gpg/pubring.kbx"]);
    assert!(String::from_utf8_lossy(&keybox.stderr).contains("gpg --export"));
}
