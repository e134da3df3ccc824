//! What the command line asks for.

use std::path::PathBuf;

pub(super) const USAGE: &str =
    "usage: bowsprit-dev versus-helm [--helm PATH] [--gobench PATH] [--bowsprit PATH]
           [--charts FOLDER|CHART...] [--families] [--family NAME...] [--counted] [--part PART...]
           [--runs N] [--out FOLDER]
parts: whole, inside, corpus, threads, families; all of them unless some are named, the last only with
--families or --family. --family names kinds of gen_charts.py, or `umbrella-of` for umbrellas of a real
chart. --counted adds exponents of instructions, which valgrind counts. A report on some parts goes where --out says, so that it does not replace the whole one.";

/// What can be measured by itself.
pub(super) const PARTS: &[&str] = &["whole", "inside", "corpus", "threads", "families"];

#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) helm: Option<PathBuf>,
    pub(super) gobench: Option<PathBuf>,
    pub(super) bowsprit: Option<PathBuf>,
    /// Charts, or folders full of charts.
    pub(super) charts: Vec<PathBuf>,
    pub(super) families: bool,
    /// Whether instructions are counted, too.
    pub(super) counted: bool,
    /// The families that are measured; none stands for all.
    pub(super) family: Vec<String>,
    /// The parts that are measured; none stands for all.
    parts: Vec<String>,
    pub(super) runs: usize,
    pub(super) out: Option<PathBuf>,
}

impl Options {
    pub(super) fn parse(args: &[String]) -> Result<Options, String> {
        let mut options = Options { runs: 10, ..Options::default() };
        let mut args = args.iter().peekable();
        while let Some(flag) = args.next() {
            if flag == "--families" {
                options.families = true;
                continue;
            }
            if flag == "--counted" {
                options.counted = true;
                continue;
            }
            let value = args.next().ok_or_else(|| format!("{flag}: lacks a value\n{USAGE}"))?;
            match flag.as_str() {
                "--helm" => options.helm = Some(value.into()),
                "--gobench" => options.gobench = Some(value.into()),
                "--bowsprit" => options.bowsprit = Some(value.into()),
                "--out" => options.out = Some(value.into()),
                "--runs" => {
                    options.runs =
                        value.parse().map_err(|_| format!("--runs {value}: no number"))?;
                }
                "--charts" | "--family" | "--part" => {
                    let mut values = vec![value];
                    while let Some(value) = args.next_if(|next| !next.starts_with("--")) {
                        values.push(value);
                    }
                    options.add(flag, values)?;
                }
                _ => return Err(format!("{flag}: unknown\n{USAGE}")),
            }
        }
        options.runs = options.runs.max(1);
        options.families |= !options.family.is_empty();
        if !options.parts.is_empty() && options.out.is_none() {
            return Err(format!("--part: goes with --out\n{USAGE}"));
        }
        Ok(options)
    }

    fn add(&mut self, flag: &str, values: Vec<&String>) -> Result<(), String> {
        let owned = values.iter().map(|value| (*value).clone());
        match flag {
            "--charts" => self.charts.extend(values.iter().map(PathBuf::from)),
            "--family" => self.family.extend(owned),
            _ => {
                if let Some(unknown) = values.iter().find(|value| !PARTS.contains(&value.as_str()))
                {
                    return Err(format!("--part {unknown}: unknown\n{USAGE}"));
                }
                self.parts.extend(owned);
            }
        }
        Ok(())
    }

    /// Whether a part is to be measured.
    pub(super) fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_end_at_the_next_flag() {
        let args = ["--charts", "a", "b.tgz", "--families", "--runs", "3"].map(String::from);
        let options = Options::parse(&args).unwrap();
        assert_eq!(options.charts, [PathBuf::from("a"), PathBuf::from("b.tgz")]);
        assert!(options.families);
        assert_eq!(options.runs, 3);
        assert!(Options::parse(&["--helm".to_string()]).is_err());
        assert!(Options::parse(&["--what".to_string(), "x".to_string()]).is_err());
        let args = ["--part", "whole", "threads", "--out", "x"].map(String::from);
        let options = Options::parse(&args).unwrap();
        assert!(options.wants("threads") && !options.wants("corpus"));
        assert!(Options::parse(&args[..3]).is_err());
        assert!(Options::parse(&["--part", "what", "--out", "x"].map(String::from)).is_err());
    }
}
