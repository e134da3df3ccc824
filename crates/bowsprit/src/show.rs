//! What a chart has to say of itself: `helm show`.

use bowsprit_chart::{Chart, EncodeError, File};

/// A part of what can be shown of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of them, one after the other.
    All,
    /// `Chart.yaml`, as Helm writes it.
    Chart,
    /// `values.yaml`, as it is.
    Values,
    /// The first file called `README.md`, `README.txt` or `README`, in any case.
    Readme,
    /// The custom resource definitions, those of subcharts too.
    Crds,
}

/// Prints a part of a chart as `helm show` does. `values`, where given, stands for the text of
/// `values.yaml`.
///
/// ```
/// use bowsprit::chart::{Chart, File, Limits};
/// use bowsprit::show::{Part, show};
///
/// let yaml = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
/// let files = vec![File::new("Chart.yaml", yaml), File::new("values.yaml", "a: 1\n")];
/// let chart = Chart::from_files(files, &Limits::default())?.output;
/// assert_eq!(show(&chart, Part::Values, None).expect("a chart"), b"a: 1\n\n");
/// # Ok::<(), bowsprit::chart::Error>(())
/// ```
///
/// # Errors
/// For metadata that can't be written as YAML.
pub fn show(chart: &Chart, part: Part, values: Option<&[u8]>) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    let metadata = chart.metadata.to_yaml()?;
    let all = part == Part::All;
    if all || part == Part::Chart {
        line(&mut out, &metadata);
    }
    if let Some(source) = chart.values_source.as_ref().filter(|_| all || part == Part::Values) {
        if all {
            line(&mut out, b"---");
        }
        match values {
            Some(values) => out.extend_from_slice(values),
            None => line(&mut out, source),
        }
    }
    if let Some(readme) = readme(&chart.files).filter(|_| all || part == Part::Readme) {
        if all {
            line(&mut out, b"---");
        }
        line(&mut out, &readme.data);
    }
    if all || part == Part::Crds {
        for crd in chart.crd_objects() {
            if !crd.file.data.starts_with(b"---") {
                line(&mut out, b"---");
            }
            line(&mut out, &crd.file.data);
        }
    }
    Ok(out)
}

fn line(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
    out.push(b'\n');
}

fn readme(files: &[File]) -> Option<&File> {
    const NAMES: [&str; 3] = ["readme.md", "readme.txt", "readme"];
    let is_readme = |file: &File| {
        NAMES.iter().any(|name| file.name.as_bytes().eq_ignore_ascii_case(name.as_bytes()))
    };
    files.iter().find(|file| is_readme(file))
}
