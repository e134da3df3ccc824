//! `bowsprit package`.

use super::{Command, Invocation, dependency};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::streams;
use bowsprit::loader::{
    self, Keyring, Options, Package, PackageOptions, PathError, Symlinks, default_keyring,
};
use bowsprit::value::strconv;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

pub(super) static COMMAND: Command = Command {
    name: "package",
    usage: "package CHART... [flags]",
    about: "Pack chart directories into versioned archives",
    examples: "\
The same chart gives the same bytes, wherever and whenever it is packed: files have one fixed time,
or that of SOURCE_DATE_EPOCH. What the chart needs must be in its charts/ folder.

Examples:
  bowsprit package ./chart --dependency-update
  bowsprit package ./web ./api -d dist --version 1.4.0 --app-version 2.1
  bowsprit package ./chart --sign --key 'Bob <bob@example.com>' --keyring secring.gpg",
    flags: &[FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with("destination", Kind::Text, "DIR", "Folder for the archives (default .)").short('d'),
    Flag::with("version", Kind::Text, "VERSION", "Give the chart this version"),
    Flag::with("app-version", Kind::Text, "VERSION", "Give the chart this appVersion"),
    Flag::switch("dependency-update", "Do as dependency update does before packing").short('u'),
    Flag::with("username", Kind::Text, "NAME", "Name of the user at registries"),
    Flag::with("password", Kind::Text, "PASSWORD", "Password of the user"),
    Flag::with("cert-file", Kind::Text, "FILE", "Certificate to identify with at registries"),
    Flag::with("key-file", Kind::Text, "FILE", "Key of that certificate"),
    Flag::with("ca-file", Kind::Text, "FILE", "Trust the authorities in FILE and no others"),
    Flag::switch("insecure-skip-tls-verify", "Trust every registry"),
    Flag::switch("plain-http", "Talk to registries without TLS"),
    Flag::switch("follow-symlinks", "Pack what symbolic links outside of the chart lead to"),
    Flag::switch("sign", "Write a provenance file, signed with a PGP key, beside the archive"),
    Flag::with("key", Kind::Text, "NAME", "Name of the key to sign with, or a part of it"),
    Flag::with("keyring", Kind::Text, "FILE", "Keyring that has the key, with its secret part"),
    Flag::with(
        "passphrase-file",
        Kind::Text,
        "FILE",
        "File whose first line unlocks the key; - for standard input",
    ),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    if invocation.args().is_empty() {
        return Err(Failure::of("need at least one argument, the path to the chart"));
    }
    let sign = parsed.is_on("sign");
    if sign && parsed.non_empty("key").is_none() {
        return Err(Failure::of("--key is required for signing a package"));
    }
    if sign && parsed.text("keyring") == Some("") {
        return Err(Failure::of("--keyring is required for signing a package"));
    }
    let mut options = Options::default();
    if !parsed.is_on("follow-symlinks") {
        options.symlinks = Symlinks::InsideChart;
    }
    let packaging = packaging(invocation)?;
    let mut passphrase = None;
    for arg in invocation.args() {
        let dir = Path::new(arg);
        if let Err(error) = dir.metadata() {
            return Err(Failure::of(PathError::new("stat", dir, error)));
        }
        if parsed.is_on("dependency-update") {
            // Helm gives the absolute path, which its errors name.
            let absolute = std::path::absolute(dir).map_err(Failure::of)?;
            dependency::update(invocation, &absolute, false)?;
        }
        let package = pack(invocation, dir, &options, &packaging)?;
        if sign {
            clear_sign(invocation, &package, &mut passphrase)?;
        }
        let path = package.path.display();
        streams::write(
            format!("Successfully packaged chart and saved it to: {path}\n").as_bytes(),
        )?;
    }
    Ok(())
}

fn packaging(invocation: &Invocation<'_>) -> Result<PackageOptions, Failure> {
    let text = |flag: &str| invocation.parsed.text(flag).unwrap_or_default().to_owned();
    let mut packaging = PackageOptions::default();
    packaging.version = text("version");
    packaging.app_version = text("app-version");
    packaging.destination = PathBuf::from(text("destination"));
    if let Some(epoch) = std::env::var_os("SOURCE_DATE_EPOCH") {
        let epoch = epoch.to_string_lossy();
        packaging.pack.modified = epoch.parse().map_err(|_| {
            Failure::of(format!("SOURCE_DATE_EPOCH is no number of seconds: {epoch}"))
        })?;
    }
    Ok(packaging)
}

fn pack(
    invocation: &Invocation<'_>,
    dir: &Path,
    options: &Options,
    packaging: &PackageOptions,
) -> Result<Package, Failure> {
    let packed = loader::package(dir, options, packaging).map_err(|error| {
        if let loader::PackageError::Load(error) = &error {
            error.log().iter().for_each(|line| invocation.settings.log(line));
            if error.is_denied() {
                return Failure::of(format!("{error}; use --follow-symlinks if that is meant"));
            }
        }
        Failure::of(error)
    })?;
    packed.warnings.iter().for_each(|line| invocation.settings.log(line));
    Ok(packed.output)
}

fn clear_sign(
    invocation: &Invocation<'_>,
    package: &Package,
    passphrase: &mut Option<Vec<u8>>,
) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    let path = parsed.text("keyring").map_or_else(default_keyring, PathBuf::from);
    let keyring = Keyring::load(&path).map_err(Failure::of)?;
    if let Some(file) = parsed.non_empty("passphrase-file")
        && passphrase.is_none()
    {
        *passphrase = Some(first_line(file)?);
    }
    let key = parsed.text("key").unwrap_or_default();
    let given = passphrase.clone();
    let signer =
        keyring.signer(key, |name| given.map_or_else(|| ask(name), Ok)).map_err(Failure::of)?;
    loader::sign_package(package, &signer).map_err(Failure::of)?;
    Ok(())
}

/// The first line of a file, or of standard input.
fn first_line(file: &str) -> Result<Vec<u8>, Failure> {
    let failed =
        |error: std::io::Error| Failure::of(PathError::new("read", Path::new(file), error));
    let input: Box<dyn Read> = if file == "-" {
        if streams::stdin_is_terminal() {
            return Err(Failure::of(
                "specified reading passphrase from stdin, without input on stdin",
            ));
        }
        Box::new(std::io::stdin())
    } else {
        let opened = std::fs::File::open(file);
        Box::new(opened.map_err(|e| Failure::of(PathError::new("open", Path::new(file), e)))?)
    };
    let mut line = Vec::new();
    BufReader::new(input).read_until(b'\n', &mut line).map_err(failed)?;
    if line.is_empty() {
        return Err(Failure::of("EOF"));
    }
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    Ok(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}

fn ask(name: &str) -> Result<Vec<u8>, String> {
    let quoted = strconv::quote(name.as_bytes());
    let prompt = format!("Password for key {} >  ", String::from_utf8_lossy(&quoted));
    streams::ask_secret(&prompt).map(String::into_bytes)
}
