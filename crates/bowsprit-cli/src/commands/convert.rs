//! `bowsprit convert`.

use super::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::streams;
use bowsprit::flux::Inventory;
use bowsprit::flux::convert::{Converted, Known, from_fleet, from_helm_list, is_fleet, to_fleet};
use bowsprit::value::{Map, Meter, Value};
use std::io::Read;

pub(super) static COMMAND: Command = Command {
    name: "convert",
    usage: "convert FILE... --to KIND [flags]",
    about: "Turn HelmReleases into a fleet file and back, and Helm's releases into HelmReleases",
    examples: "\
What is read is recognized by what is in it: HelmReleases with their sources, a fleet file
(`kind: Fleet`), or what `helm list -o json` prints. --to says what comes out: fleet or helmrelease.
What one side can't say is named on standard error.

Examples:
  bowsprit convert podinfo.yaml --to fleet --name shop > bowsprit.yaml
  bowsprit convert bowsprit.yaml --to helmrelease --repository stable=https://charts.example/stable
  helm list -n web -o json | bowsprit convert - --to helmrelease --repository https://charts.example/stable
  bowsprit convert list.json --to helmrelease --repository https://charts.example/stable --values web=web.yaml",
    flags: &[FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with("to", Kind::Text, "KIND", "fleet or helmrelease"),
    Flag::with("name", Kind::Text, "NAME", "Name of the fleet (default fleet)"),
    Flag::with(
        "repository",
        Kind::Texts,
        "[NAME=]URL",
        "URL of a repository, by its name or a release's, or for all others; repeatable",
    ),
    Flag::with(
        "values",
        Kind::Texts,
        "RELEASE=FILE",
        "Values of a release that Helm lists, as `helm get values` prints them; repeatable",
    ),
];

/// What was read.
enum Input {
    Fleet(Map),
    Listed(Value),
    Objects(Inventory),
}

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    if invocation.args().is_empty() {
        return Err(Failure::Error(
            "\"bowsprit convert\" requires at least 1 argument\n\n\
             Usage:  bowsprit convert FILE... --to KIND [flags]"
                .to_owned(),
        ));
    }
    let parsed = invocation.parsed;
    let converted = match (parsed.non_empty("to"), read(invocation)?) {
        (Some("fleet"), Input::Objects(inventory)) => {
            let name = parsed.non_empty("name").unwrap_or("fleet");
            let Converted { output, notes } = to_fleet(name, &inventory).map_err(Failure::of)?;
            Converted { output: vec![output], notes }
        }
        (Some("helmrelease"), Input::Fleet(fleet)) => {
            from_fleet(&fleet, &invocation.settings.namespace(), &known(invocation)?)
        }
        (Some("helmrelease"), Input::Listed(listed)) => {
            from_helm_list(&listed, &known(invocation)?).map_err(Failure::Error)?
        }
        (Some("fleet" | "helmrelease"), _) => {
            return Err(Failure::Error("that is what was read already".to_owned()));
        }
        (other, _) => {
            let other = other.unwrap_or_default();
            return Err(Failure::Error(format!("--to: want fleet or helmrelease, not {other:?}")));
        }
    };
    converted.notes.iter().for_each(|note| streams::say(&format!("WARNING: {note}")));
    let mut out = Vec::new();
    let several = converted.output.len() > 1;
    for object in converted.output {
        if several {
            out.extend_from_slice(b"---\n");
        }
        bowsprit::yaml::encode(&object.into(), &mut out, &Meter::default()).map_err(Failure::of)?;
    }
    streams::write(&out)
}

fn read(invocation: &Invocation<'_>) -> Result<Input, Failure> {
    let mut inventory = Inventory::new(invocation.settings.namespace());
    for name in invocation.args() {
        let text = read_file(name)?;
        match bowsprit::yaml::decode(&text) {
            Ok(Value::Map(fleet)) if is_fleet(&fleet) => return Ok(Input::Fleet(fleet)),
            Ok(listed @ Value::List(_)) => return Ok(Input::Listed(listed)),
            // Several documents are read one by one below, with better errors.
            _ => inventory.read(name, &text).map_err(Failure::of)?,
        }
    }
    inventory.warnings().iter().for_each(|warning| streams::say(&format!("WARNING: {warning}")));
    if inventory.helm_releases().is_empty() {
        return Err(Failure::Error(
            "there is no HelmRelease, fleet or list of releases in these files".to_owned(),
        ));
    }
    Ok(Input::Objects(inventory))
}

fn read_file(name: &str) -> Result<Vec<u8>, Failure> {
    if name == "-" {
        let mut text = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut text);
        return read
            .map(|_| text)
            .map_err(|error| Failure::Error(format!("read standard input: {error}")));
    }
    std::fs::read(name).map_err(|error| Failure::Error(format!("open {name}: {error}")))
}

/// What neither the list nor the fleet file says.
fn known(invocation: &Invocation<'_>) -> Result<Known, Failure> {
    let parsed = invocation.parsed;
    let mut known = Known::default();
    for given in parsed.all("repository") {
        let (name, url) = match given.split_once('=') {
            Some((name, url)) if !name.contains("://") => (name, url),
            _ => ("", given.as_str()),
        };
        known.repositories.insert(name.to_owned(), url.to_owned());
    }
    for given in parsed.all("values") {
        let Some((release, file)) = given.split_once('=') else {
            return Err(Failure::Error(format!("--values: want RELEASE=FILE, not {given:?}")));
        };
        let values = bowsprit::yaml::read_values(&read_file(file)?).map_err(Failure::of)?;
        known.values.insert(release.to_owned(), values);
    }
    Ok(known)
}
