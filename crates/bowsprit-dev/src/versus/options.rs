//! What the command line asks for.

use std::path::PathBuf;

pub(super) const USAGE: &str =
    "usage: bowsprit-dev versus-helm [--helm PATH] [--gobench PATH] [--bowsprit PATH]
           [--charts FOLDER|CHART...] [--families] [--runs N] [--out FOLDER]";

#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) helm: Option<PathBuf>,
    pub(super) gobench: Option<PathBuf>,
    pub(super) bowsprit: Option<PathBuf>,
    /// Charts, or folders full of charts.
    pub(super) charts: Vec<PathBuf>,
    pub(super) families: bool,
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
                "--charts" => {
                    options.charts.push(value.into());
                    while let Some(chart) = args.next_if(|next| !next.starts_with("--")) {
                        options.charts.push(chart.into());
                    }
                }
                _ => return Err(format!("{flag}: unknown\n{USAGE}")),
            }
        }
        options.runs = options.runs.max(1);
        Ok(options)
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
    }
}
