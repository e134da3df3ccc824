//! The library as embedders use it: what the README shows, and what ARCHITECTURE.md promises.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use bowsprit::pipeline::{self, print};
use bowsprit::value::Hermetic;
use bowsprit::{CompiledChart, Engine, Release, RenderRequest};
use bowsprit_testkit::repository;

/// Between the markers stands the README's example, line by line.
fn example(path: &str) -> Result<Release, Box<dyn Error>> {
    // README begins
    use bowsprit::render::values::{ValuesOptions, merge};
    use bowsprit::{Engine, RenderRequest, loader, value::Hermetic};

    let chart = loader::load(path, &loader::Options::default())?.output;
    let web = Engine::new().compile(chart.into()); // once; share it between threads

    let user = ValuesOptions { set: vec!["replicas=3".into()], ..Default::default() };
    let values = merge(&user, &mut |file| Err(format!("open {file}: not from here")))?;
    let request = RenderRequest::new("demo", "prod").values(values);

    let release = web.render(&request, &Hermetic::default())?.output; // as often as you like
    for manifest in &release.manifests {
        assert!(manifest.content.contains("part-of: mychart"));
    }
    // README ends
    Ok(release)
}

#[test]
fn the_example_of_the_readme_works() {
    let root = repository();
    let path = root.join("fixtures/charts/mychart");
    let release = example(&path.to_string_lossy()).unwrap();
    assert!(release.manifest(false).contains("replicas: 3"));

    let source = std::fs::read_to_string(root.join("tests/embedding.rs")).unwrap();
    let here = source.split("    // README begins\n").nth(1).unwrap();
    let here = here.split("    // README ends\n").next().unwrap();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let there = readme.split("```rust\n").nth(1).unwrap().split("```").next().unwrap();
    let unindented: Vec<&str> =
        here.lines().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
    assert_eq!(unindented, there.lines().collect::<Vec<_>>(), "README.md shows other code");
}

fn compile(name: &str) -> CompiledChart {
    let path = repository().join("fixtures/charts").join(name);
    let chart = bowsprit::loader::load_path(Path::new(&path), &Default::default());
    let chart = chart.expect("our charts load");
    Engine::new().compile(Arc::new(chart.output))
}

fn text(chart: &CompiledChart) -> Vec<u8> {
    let request = RenderRequest::new("demo", "data");
    let release = chart.render(&request, &Hermetic::default());
    let release = release.expect("our charts render").output;
    print(&release, &pipeline::Options::default())
}

const CHARTS: &[&str] = &["mychart", "engine", "subcharts", "hmco-platform", "v1-requirements"];

#[test]
fn a_render_leaves_no_trace() {
    for name in CHARTS {
        let chart = compile(name);
        let first = text(&chart);
        assert!(!first.is_empty(), "{name}");
        assert_eq!(first, text(&chart), "{name}");
        assert_eq!(first, text(&compile(name)), "{name}");
    }
}

#[test]
fn rendering_in_parallel_is_rendering_in_sequence() {
    for name in CHARTS {
        let expected = text(&compile(name));
        // The threads also race to be the first to parse each template.
        let chart = compile(name);
        thread::scope(|scope| {
            let renders: Vec<_> = (0..8).map(|_| scope.spawn(|| text(&chart))).collect();
            for render in renders {
                assert_eq!(render.join().unwrap(), expected, "{name}");
            }
        });
    }
}

#[test]
fn the_values_of_the_caller_stay_as_they_are() {
    let chart = compile("engine"); // its templates `set` in .Values
    let values = bowsprit::value::Map::new();
    let numbers = bowsprit::value::Map::new();
    values.insert("numbers".into(), numbers.clone().into());
    let request = RenderRequest::new("demo", "data").values(values.clone());
    chart.render(&request, &Hermetic::default()).unwrap();
    assert_eq!((values.len(), numbers.len()), (1, 0));
}
